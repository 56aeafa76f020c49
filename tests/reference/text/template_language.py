"""Small templates about one feature of the language each, for the reference cases of chat templates."""

VARIABLES = {
    "n": 7, "z": 0, "f": 2.5, "neg": -3, "big": 1e20, "t": True, "no": False, "nil": None,
    "s": "Hello World", "u": "Größe 東京 👍", "e": "", "sp": "  \t x y \n\u3000 ", "lines": "a\r\nb\n\nc\n", "html": "<a href=\"x\">&'</a>",
    "l": [3, 1, 2], "words": ["b", "A", "c", "B"], "mix": [1, "a", None, True, 2.0, [1, "q'"], {"k": "v\"\n"}], "empty": [],
    "d": {"b": 1, "a": {"x": [10, 20]}, "items": "shadow", "é": "ü"}, "nodict": {},
    "people": [{"name": "Ann", "age": 31, "tags": ["x"]}, {"name": "bob", "age": 25}, {"name": "Cyd", "age": 31, "tags": []}],
    "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}],
}

EXPRESSIONS = """1 + 2 * 3 - 4 / 2
7 // 2 ~ ' ' ~ -7 // 2 ~ ' ' ~ 7 % 3 ~ ' ' ~ -7 % 3 ~ ' ' ~ 7.5 % -2
2 ** 3 ** 2
-2 ** 2
2 ** -1
1 / 3
10 / 5
1e3 ~ ' ' ~ 1.5e-7 ~ ' ' ~ 123456789012345678.0 ~ ' ' ~ 0.1 + 0.2
1e16 ~ ' ' ~ 1e15 ~ ' ' ~ 0.0001 ~ ' ' ~ 0.00001
0x1F + 0b101 + 0o17 + 1_000
01
+n ~ -n ~ - -n
n + t
not n
not nil and t or e
e or nil or 'last'
s and 5
n > 3 > 1
1 < n < 5
n == 7.0
t == 1
'1' == 1
l == [3, 1, 2]
(1, 2) == [1, 2]
'a' < 'B'
[1, 2] < [1, 3]
(1, 'a') < (1, 'b')
1 < 'a'
1 in l
'1' in l
'ell' in s
'b' in d
5 not in l
not 5 in l
'x' in undefined_thing
1 in 5
undefined_thing in s
undefined_thing == nil
undefined_thing == other_thing
undefined_thing ~ 'x'
undefined_thing + 'x'
'x' + undefined_thing
undefined_thing.attribute
undefined_thing[0]
undefined_thing()
undefined_thing is defined
d.nothing is defined
d.nothing.more
d.nothing.more is defined
undefined_thing|length
undefined_thing|list
undefined_thing|default('fallback')
nil|default('fallback')
nil|default('fallback', true)
e|default('fallback', boolean=true)
d.nothing|default
s + 1
s ~ 1 ~ none ~ true ~ 2.0
'a' 'b' "c"
'a' * 3 ~ 2 * 'b'
[1] * 2 + [3]
[1] + (2,)
(1,) + (2, 3)
(1, 2, 'x')
()
[[], {}, (1,)]
{'a': 1, 2: 'b', none: true, (1, 2): 1.5}
{1: 'a', 1.0: 'b', true: 'c'}
{[1]: 2}
mix
d
d.a.x[1]
d['a']['x'][-1]
d.items
d['items']
d.get('b') ~ d.get('q') ~ d.get('q', 5)
d.keys()|list
d.values()|list|length
d.items()|list
d.keys()
d.items()
nodict.items()
d.a.x.0
s[0] ~ s[-1]
s[99] is defined
s['upper']()
u[6] ~ u|length
s[1:4] ~ '|' ~ s[:-1] ~ '|' ~ s[::2] ~ '|' ~ s[::-1]
u[::-1]
l[1:] ~ l[:1] ~ l[::-1] ~ l[-2:] ~ l[5:]
l[::0]
l['a':]
n[1:]
l[0.5] is defined
l[10]
l.first
n.attr is defined
n is number
f is float
n is integer
t is integer
t is number
t is boolean
nil is none
s is string
l is iterable
s is iterable
n is iterable
d is mapping
l is mapping
l is sequence
d is sequence
d.items() is sequence
undefined_thing is sequence
n is odd
n is even
n is divisibleby 7
n is divisibleby(2)
n is not odd
t is true
t is not false
1 is true
n is sameas 7
t is sameas true
s is eq 'Hello World'
n is gt 5
n is in [7, 8]
n is in(l)
'abc' is lower
'ABC' is upper
s is upper
range is callable
s is callable
'upper' is filter
'nofilter' is filter
'odd' is test
n is nosuchtest
n|nosuchfilter
n is defined is string
'yes' if n else 'no'
'yes' if z else 'no'
'yes' if z
('yes' if z) is defined
'a' if z else 'b' if nil else 'c'
s|upper|lower|title
s|lower ~ 'x'|upper
'hELLO wORLD-foo (bar'|title
'hELLO wORLD'.title()
"they're bill's".title()
'hello'|capitalize
u|upper
u|lower
'Straße'|upper
'ΣΑΣ'|lower
sp|trim
'xxaxx'|trim('x')
'[' ~ sp.strip() ~ '][' ~ sp.lstrip() ~ '][' ~ sp.rstrip() ~ ']'
'abcab'.strip('ab') ~ 'abcab'.lstrip('a') ~ 'abcab'.rstrip('b')
'a,b,,c'.split(',')
'a,b,,c'.split(',', 1)
'a,b,,c'.rsplit(',', 1)
' a  b c '.split()
' a  b c '.split(none, 1)
' a  b c '.rsplit(none, 1)
'a b'.split('')
'a--b'.split(sep='--', maxsplit=3)
lines.splitlines()
lines.splitlines(true)
'abc'.startswith('ab') ~ 'abc'.endswith('bc') ~ 'abc'.startswith(('x', 'a'))
'abc'.startswith('b', 1) ~ 'abc'.endswith('b', 0, 2)
'abc'.startswith(1)
'aXbX'.replace('X', '-') ~ 'aXbX'.replace('X', '-', 1) ~ 'ab'.replace('', '.')
'aXbX'|replace('X', '-') ~ 'aXbX'|replace('X', '-', 1)
123|replace(2, 'x')
'abcabc'.find('c') ~ 'abcabc'.rfind('c') ~ 'abc'.find('x')
'abc'.index('x')
u.find('京')
'banana'.count('an')
', '.join(words)
', '.join(l)
'a-b'.partition('-')
'ab'.partition('-')
'a-b-c'.rpartition('-')
'12'.isdigit() ~ 'a1'.isdigit() ~ ''.isdigit()
'ab'.isalpha() ~ 'a1'.isalnum() ~ ' '.isspace() ~ 'Ab'.islower()
'7'.zfill(3) ~ '-7'.zfill(4) ~ 'a'.ljust(3, '.') ~ 'a'.rjust(3) ~ 'ab'.center(5, '*')
'prefix_x'.removeprefix('prefix_') ~ 'x.txt'.removesuffix('.txt')
s.nosuchmethod is defined
s.nosuchmethod()
s.upper(1)
l.append(4)
d.update({})
d.pop('b')
l.index(1) ~ l.count(3)
l.index(99)
l|length ~ s|length ~ d|length ~ e|length
n|length
l|first ~ l|last ~ s|first ~ d|first
empty|first
empty|first is defined
words|sort
words|sort(true)
words|sort(case_sensitive=true)
people|sort(attribute='age')|map(attribute='name')|join(',')
people|sort(attribute='age,name', reverse=true)|map(attribute='name')|join(',')
[1, 'a']|sort
words|unique|list
[1, 1.0, '1']|unique|list
l|min ~ l|max ~ words|min ~ empty|max
l|sum ~ ' ' ~ people|sum('age') ~ ' ' ~ l|sum(start=10)
l|join ~ l|join(', ') ~ people|join('/', attribute='name')
l|join(1)
s|list
d|list
l|reverse|list
s|reverse
people|map(attribute='age')|list
people|map(attribute='tags', default='-')|list
people|map(attribute='tags.0')|list
words|map('upper')|join
words|map('replace', 'b', 'x')|list
words|map
words|map('nosuchfilter')|list
l|select('odd')|list
l|select|list
mix|select('string')|list
l|reject('equalto', 1)|list
l|reject('in', [1, 2])|list
people|selectattr('tags')|map(attribute='name')|list
people|selectattr('age', 'equalto', 31)|map(attribute='name')|list
people|selectattr('tags', 'defined')|list|length
people|rejectattr('age', 'gt', 30)|map(attribute='name')|first
people|selectattr('name', 'nosuchtest')|list
people|selectattr|list
d|items|list
undefined_thing|items|list
l|items
d|dictsort
{'b': 1, 'A': 2}|dictsort
{'b': 1, 'A': 2}|dictsort(true)
{'b': 1, 'A': 2}|dictsort(by='value', reverse=true)
{'b': 1, 'A': 2}|dictsort(by='x')
l|batch(2)|list
l|batch(2, 'x')|list
range(7)|slice(3)|list
range(7)|slice(3, 'x')|list
-3|abs ~ (-3)|abs ~ (-2.5)|abs
s|abs
2.5|round ~ ' ' ~ 3.5|round ~ ' ' ~ 2.675|round(2) ~ ' ' ~ 7|round
2.1|round(method='ceil') ~ ' ' ~ 2.19|round(1, 'floor')
2.1|round(method='x')
'12'|int ~ ' 12 '|int ~ '1_2'|int ~ '3.7'|int ~ 'x'|int ~ 'x'|int(5) ~ 3.9|int ~ nil|int ~ t|int
'1.5'|float ~ ' ' ~ 'x'|float ~ ' ' ~ 'inf'|float ~ ' ' ~ 3|float
undefined_thing|int
n|string ~ (n|string is string)
nil|string
'<b>'|safe ~ '<i>'
'<b>'|safe + '<i>'
html|e
html|escape ~ html
lines|indent
lines|indent(2, true)
lines|indent('> ', blank=true)
s|truncate(8)
s|truncate(5, true, '', 0)
s|truncate(5, leeway=0)
s|center(15) ~ '|'
'%s is %d and %.2f %%'|format('x', 3, 2.5)
'%s-%s' % ('a', 1)
'%s' % 'a'
'%d' % 'a'
'%s %s' % 'a'
'a b/c?ü'|urlencode
mix|tojson
d|tojson
d|tojson(indent=2)
mix|tojson(indent=1, sort_keys=true)
d|tojson(ensure_ascii=true)
u|tojson(ensure_ascii=true)
{'b': 1, 'a': 2}|tojson(sort_keys=true)
{'b': [1, 2]}|tojson(separators=(',', ':'))
{1: 2, none: 3, true: 4, 1.5: 5}|tojson
[]|tojson(indent=2) ~ {}|tojson(indent=2)
html|tojson
'\\x00\\x1f\\x7f\\u2028/'|tojson
undefined_thing|tojson
range(3)|tojson
1e20|tojson ~ big|tojson ~ f|tojson
range(3)|list ~ range(1, 4)|list ~ range(5, 0, -2)|list ~ range(3)
range(3)[1] ~ range(3)|length
range(200000)
range('a')
range(1, 2, 0)
dict(a=1, b='x')
dict([('k', 1)], z=2)
dict(d).b
namespace(a=1).a
namespace(a=1)
namespace(_a=1)
raise_exception('my message')
raise_exception()
strftime_now('%Y-%m-%d')
strftime_now('%d %B %Y, %A %H:%M:%S %p %j %y %b %a %I %m')
strftime_now is defined
'a\\nb\\tc\\\\d\\'e\\"f'
"\\x41\\u00e9\\U0001F600\\101\\q"
'\\é'
'a\\
b'
'\\xZZ'
s.upper
s.__class__
s.__class__ is defined
s.__class__()
s['__class__']
d.__len__
nil.x is defined
nil.x.y
nil()
s()
(lambda)
1 +
a b
[1, 2
'unclosed
1 ? 2
{'a' 1}
f(a=1, 2)
f(**d, *l)
l|join(', ', d='x')
l|join(nosuch=1)
1 is
n if
x.
x[]
{{ 1 }}
n is string if t else 2
true ~ True ~ false ~ none ~ None
t is string or n
n|string|length + 1
-n|abs
[1, 2,]
{'a': 1,}
(1,)
1, 2
s.split(' ')[-1].lstrip('W')
s.split('o')|map('trim')|join('0')
messages[0].role ~ messages[-1]['content']
messages|map(attribute='role')|join(' ')
messages[0] is mapping and 'role' in messages[0]
(messages|length - 1) ~ (messages[1:]|length)
d.a is mapping ~ d.a.x is sequence
1.0 ~ 100.0 ~ -0.0 ~ 1e300 * 1e10
1 // 0
1 / 0
1 % 0
9223372036854775807
[] == empty
{'a': [1]} == {'a': [1.0]}
l is eq([3, 1, 2])
'a' is in 'abc'
namespace() is mapping
(n, s)[1]
'' is none
loop is defined
caller is defined
self is defined""".replace("\\\nb'", "\\@@b'").split("\n")
EXPRESSIONS = [line.replace("\\@@", "\\\n") for line in EXPRESSIONS]

TEMPLATES = [
    # white space
    "a\n", "a\n\n", "\n", "", "a\r\nb\rc\r\n", "x {{ 1 }} y", "x {{- 1 -}} y", "x\n  {{- 1 -}}  \n y", "  {% if t %}a{% endif %}\nb",
    "  {%+ if t %}a{% endif +%}\nb", "x\n   {% if t %}\n  a\n   {% endif %}\n b\n", "x  {%- if t -%}  a  {%- endif -%}  b",
    "x\n\t {# note #}\n y", "x {#- note -#} y", "x {# note +#}\n y", "{# a {% b }} #}c", "  {{ 1 }}\n{{ 2 }}\n", "a {% if t %} b {% endif %} c",
    "\u3000{% if t %}a{% endif %}", "a\u00a0{%- if t %}b{% endif %}", "{% raw %}{{ x }} {% y %}{% endraw %}z", "a\n  {% raw %}\n b {{ 1 }}\n  {% endraw %}\nc",
    "{%- raw -%}  x  {%- endraw -%}  y", "{% raw %}{% raw %}{% endraw %}", "{% raw %}", "a {# never closed", "{% if t %}", "{% if t %}a{% endfor %}",
    "{% endif %}", "{% else %}", "{%%}", "{% %}", "{% nosuchtag %}", "{% include 'x' %}", "{% block a %}x{% endblock %}", "{{", "{{ 1", "{{ 1 %}", "{% if t }}",
    "{{ }}", "{{ '}}' }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ [1, (2] }}", "{{ 1) }}", "{ { x } }", "{{1}}{{2}}", "{{-1}}", "{{ -1 }}", "{{+1}}",
    "{% set x = 1 -%}\n  {{ x }}\n  {%- set y = 2 %}\n{{ y }}", "{% if t %}\n\n\na{% endif %}", "é{% if t %}\n漢{% endif %}",
    "<|im_start|>{{ s }}<|im_end|>{% for x in l %}<|{{ x }}|>{% endfor %}", "{% print n %}{% print n, s %}", "a{% if t %}{% endif %}\n\nb", "{%-if t-%} a {%-endif-%} b",
    # if
    "{% if z %}a{% elif n %}b{% else %}c{% endif %}", "{% if z %}a{% elif nil %}b{% elif e %}d{% else %}c{% endif %}", "{% if l and not empty %}y{% endif %}",
    "{% if undefined_thing %}a{% else %}b{% endif %}", "{% if undefined_thing is not defined or undefined_thing.x %}a{% endif %}", "{% if 0.0 %}a{% endif %}{% if [0] %}b{% endif %}",
    "{% if t %}{% set q = 1 %}{% endif %}{{ q }}", "{% if z %}{% set n = 1 %}{% endif %}{{ n }}", "{% if z %}{{ 1|nosuch }}{% endif %}ok", "{% for x in [] %}{{ 1|nosuch }}{% endfor %}ok",
    "{{ (1|nosuch) if z else 'ok' }}", "{% if n is nosuch %}{% endif %}",
    # set and scopes
    "{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}", "{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, (b, c) = 1, (2, 3) %}{{ a ~ b ~ c }}", "{% set a, b = [1] %}", "{% set a, b = l %}", "{% set a, b = 5 %}", "{% set x %}a{{ n }}b{% endset %}[{{ x }}]",
    "{% set x | upper | trim %} a{{ s }} {% endset %}[{{ x }}]", "{% set x = 1, 2 %}{{ x }}", "{% set s.x = 1 %}", "{% set d.x = 1 %}", "{% set q.x = 1 %}", "{% set ns = namespace() %}{% set ns._x = 1 %}", "{% set none = 1 %}", "{% set 'a' = 1 %}",
    "{% set n = n + 1 %}{{ n }}", "{{ n }}{% set n = 1 %}{{ n }}", "{% for i in [1] %}{{ n }}{% endfor %}{% set n = 2 %}{{ n }}", "{% set n %}{{ n }}!{% endset %}{{ n }}", "{% for i in [1, 2] %}{{ n }}{% set n = i %}{{ n }};{% endfor %}{{ n }}",
    "{% macro f() %}[{{ q }}]{% endmacro %}{{ f() }}{% set q = 1 %}{{ f() }}", "{% macro f() %}[{{ n }}]{% endmacro %}{{ f() }}{% set n = 1 %}{{ f() }}", "{% if t %}{% set n = 5 %}{% endif %}{% for i in [1] %}{{ n }}{% set n = 6 %}{% endfor %}{{ n }}",
    "{% with %}{% set n = 1 %}{{ n }}{% endwith %}{{ n }}", "{% with n = 1, m = n %}{{ n }}{{ m }}{% endwith %}{{ n }}{{ m }}", "{% set ns = namespace(a=1, b=[]) %}{% set ns.b = ns.b + [ns.a] %}{{ ns.b }}{{ ns.c }}{{ ns['a'] }}",
    "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a + ns.b }}", "{% set ns = namespace() %}{% set ns.a, b = 1, 2 %}{{ ns.a ~ b }}", "{% for m in messages %}{% set messages = [] %}{{ m.role }}{% endfor %}{{ messages|length }}", "{% set messages = messages[1:] %}{{ messages|length }}",
    "{% if not tools is defined %}{% set tools = none %}{% endif %}{{ tools }}", "{% if t %}{% if z %}{% set w = 1 %}{% else %}{% set w = 2 %}{% endif %}{% endif %}{{ w }}", "{% filter upper %}a{% set x = 1 %}{{ x }}{{ s }}{% endfilter %}{{ x }}",
    # for
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }};{% endfor %}", "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}", "{% for x in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{% endfor %}", "{% for x in l %}{{ loop.cycle() }}{% endfor %}", "{% for x in l %}{{ loop }}{% endfor %}", "{% for x in l %}{{ loop.nosuch is defined }}{{ loop|length }}{% endfor %}",
    "{% for x in empty %}a{% else %}none{% endfor %}", "{% for x in l %}{{ x }}{% else %}none{% endfor %}", "{% for x in undefined_thing %}a{% else %}none{% endfor %}", "{% for x in n %}a{% endfor %}", "{% for x in nil %}a{% endfor %}", "{% for k in d %}{{ k }},{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d|items %}{{ loop.last }}{{ k }}{% endfor %}", "{% for k, v in l %}a{% endfor %}", "{% for c in 'añ' %}[{{ c }}]{% endfor %}", "{% for x in l if x > 1 %}{{ loop.index }}{{ x }}{{ loop.length }}{{ loop.last }};{% endfor %}",
    "{% for x in l if x > 9 %}a{% else %}none{% endfor %}", "{% for x in l if loop.index %}a{% endfor %}", "{% set ns = namespace(go=true) %}{% for x in l if ns.go %}{{ x }}{% set ns.go = false %}{% endfor %}", "{% set ns = namespace(go=true) %}{% for x in l if ns.go %}{{ x }}{{ loop.last }}{% set ns.go = false %}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{% for y in l %}{% if y == 1 %}{% break %}{% endif %}{{ x ~ y }}{% endfor %}{{ loop.index }};{% endfor %}", "{% break %}", "{% for x in l %}{% break %}{% else %}none{% endfor %}",
    "{% for x in l %}{% set q %}{{ x }}{% if x == 1 %}{% break %}{% endif %}{% endset %}{{ q }}{% endfor %}", "{% for x in l %}{% macro f() %}{% break %}{% endmacro %}{% endfor %}", "{% for x in l recursive %}{{ x }}{% endfor %}",
    "{% for x in [[1, [2]], 3] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}@{{ loop.depth }}{% endif %}{% endfor %}", "{% for x in l %}{{ loop(l) }}{% endfor %}", "{% for x in l %}{% for y in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}", "{% for loop in l %}{% endfor %}", "{% for x in l %}{% set loop = 1 %}{% endfor %}",
    "{% for x in range(3) %}{{ x }}{% endfor %}", "{% for x in range(2, 8, 3) %}{{ x }},{% endfor %}", "{% for x in (1, 2) %}{{ x }}{% endfor %}", "{% for x in 1, 2 %}{{ x }}{% endfor %}", "{% for x, in [[1], [2]] %}{{ x }}{% endfor %}", "{% for (a, b), c in [[[1, 2], 3]] %}{{ a ~ b ~ c }}{% endfor %}",
    "{% for x in l|sort %}{{ x }}{% endfor %}", "{% for m in messages[::-1] %}{{ m.role }}{{ loop.index0 }}{% endfor %}", "{% set g = l|map('string') %}{% for x in g %}{{ x }}{% break %}{% endfor %}{{ g|join }}", "{% set g = l|select %}{{ g|list }}{{ g|list }}{{ g is iterable }}{% if g %}y{% endif %}", "{% set g = l|select %}{{ g|length }}", "{% set g = l|select %}{{ 1 in g }}{{ g|list }}",
    "{% for x in l %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}", "{% for x in l %}{% for y in [x] if y is odd %}{{ loop.parent }}{{ y }}{% endfor %}{% endfor %}", "{% for a in [1] %}{% for b in [loop.index] %}{{ b }}{% endfor %}{% endfor %}", "{% for item in l -%}\n {{ item }}\n{%- endfor %}", "{% for x in l %}{% else %}{% endfor %}done",
    # macros and calls
    "{% macro f(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }};{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(1, c=4) }}{{ f() }}{{ f(b=9, a=8) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(q=2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, a=2) }}", "{% macro f(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, z=4) }}",
    "{% macro f(a, b=a) %}{{ b }}{% endmacro %}{{ f(5) }}", "{% macro f(a, b) %}{{ a is defined }}{{ b is defined }}{% endmacro %}{{ f(1) }}", "{% macro f(a=1, b) %}{% endmacro %}", "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% macro f(x) %}{% set y = x %}{{ y }}{% endmacro %}{{ f(1) }}{{ y }}",
    "{% macro f() %}  x  {% endmacro %}[{{ f() }}][{{ f()|trim }}]", "{{ f() }}{% macro f() %}x{% endmacro %}", "{% macro f() %}x{% endmacro %}{{ f }}{{ f.name }}", "{% macro f(a) %}<{{ caller() }}|{{ a }}>{% endmacro %}{% call f(1) %}body{{ n }}{% endcall %}", "{% macro f() %}{{ caller(5) }}{% endmacro %}{% call(x) f() %}[{{ x }}]{% endcall %}",
    "{% macro f() %}x{% endmacro %}{% call f() %}body{% endcall %}", "{% macro f() %}{{ caller is defined }}{% endmacro %}{{ f() }}", "{% macro f() %}{{ caller() }}{% endmacro %}{{ f() }}", "{% call n %}x{% endcall %}", "{% macro f(x) %}{% macro g() %}{{ x }}{% endmacro %}{% set ns.g = g %}{% endmacro %}{% set ns = namespace() %}{{ f(1) }}{{ ns.g() }}",
    "{% set ns = namespace(f=none) %}{% for i in [1, 2] %}{% if i == 1 %}{% macro g() %}{{ i }}{% endmacro %}{% set ns.f = g %}{% else %}{{ ns.f() }}{% endif %}{% endfor %}", "{% macro f(a) -%}\n  {{ a }}\n{%- endmacro %}[{{ f(1) }}]", "{% macro f(items) %}{% for i in items %}{{ loop.index }}:{{ i }} {% endfor %}{% endmacro %}{{ f(l) }}",
    "{% set args = [1, 2] %}{% set kw = {'c': 3} %}{% macro f(a, b, c) %}{{ a ~ b ~ c }}{% endmacro %}{{ f(*args, **kw) }}", "{% macro f(a) %}{% if a %}{{ f(a[1:]) }}{{ a[0] }}{% endif %}{% endmacro %}{{ f('abc') }}", "{% macro f() %}{{ n }}{% endmacro %}{% set n = 100 %}{{ f() }}", "{% macro f(caller) %}{{ caller }}{% endmacro %}{{ f(1) }}",
    "{% macro f(caller=1) %}{{ caller }}{% endmacro %}{{ f() }}",
    # filter blocks, generation, others
    "{% filter upper %}abc{{ s }}{% endfilter %}", "{% filter trim|replace('a', 'b') %} xax {% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}", "{% filter nosuch %}a{% endfilter %}", "{% generation %}a{{ n }}{% endgeneration %}b", "{% generation %}{% set q = 1 %}{{ q }}{% endgeneration %}{{ q }}",
    "{% for m in messages %}{% generation %}\n{{ m.content }}\n{% endgeneration %}{% endfor %}", "{{ raise_exception('no ' ~ s) }}", "{% if z %}{{ raise_exception('x') }}{% endif %}fine", "{{ strftime_now('%H') }}{{ strftime_now('%-d') }}", "{% set x = raise_exception %}{{ x('y') }}", "{{ undefined_thing.x }}", "{{ d.a.b.c }}",
    "{% extends 'a' %}", "{% autoescape true %}{{ html }}{% endautoescape %}", "{% import 'a' as b %}", "{% set x = [] %}{% set x = x + [1] %}{% set x = x + ['a'] %}{{ x }}", "{{ [1, 2] | tojson }}{{ 'é' | tojson }}", "{% set d2 = {'x': d} %}{{ d2.x.a.x[0] }}", "{{ '{{' }}{{ '%}' }}", "{{ \"a'b\" }}{{ 'a\"b' }}", "{{ mix[5] }}{{ ['it\\'s', \"a\\\"b'c\"] }}",
    "{{ ['\\n', '\\t', '\\\\', '\\x00', 'é', '\\u200b', '👍'] }}", "{% set _ = 1 %}{{ _ }}", "{% set été = 1 %}{{ été }}", "{{ 1if t else 2 }}", "{{ n.real is defined }}", "{{ d.copy() == d }}",
]

# Things that moelab refuses although jinja2 renders them; the interpreter must say so.
UNSUPPORTED = ["{{ 9223372036854775807 + 1 }}", "{{ 99999999999999999999 }}", "{{ 'a'.encode() }}", "{{ '{}'.format(1) }}", "{{ l|groupby(0)|list }}", "{{ 'a b'|wordcount }}", "{{ 'Straße'|upper }}", "{{ 'ΣΑΣ'|lower }}", "{{ '\\N{DIGIT ONE}' }}",
               "{{ l|map('string') }}", "{{ s.upper }}", "{{ range }}", "{% block a %}x{% endblock %}", "{% autoescape true %}{{ html }}{% endautoescape %}", "{{ cycler('a') }}", "{{ joiner(', ')() }}", "{{ lipsum(1)|length > 0 }}", "{{ ('<'|safe).strip() }}", "{{ n.real }}", "{{ n is sameas 7 }}",
               "{{ range(9)[2:4] }}", "{{ html|striptags }}", "{{ html|forceescape }}", "{{ l|random }}", "{{ d|xmlattr }}", "{{ l|pprint }}", "{{ strftime_now('%U') }}", "{{ '%x' % 255 }}", "{{ (-8) ** 0.5 }}", "{{ '٣'|int }}", "{{ 'a' is sameas 'a' }}", "{{ n.real is defined }}", "{{ 1234|filesizeformat }}"]


def sources():
    """All sources; each expression becomes an output tag."""
    return ["{{ " + expression + " }}" for expression in EXPRESSIONS] + TEMPLATES
