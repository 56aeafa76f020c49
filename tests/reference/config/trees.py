"""Small config trees for the reference cases: name -> search directories -> file -> text."""

import hydra_trees

MODELS = {
    "model/olmoe.yaml": "name: olmoe\nlayers: 16\nexperts: 64\nmoe:\n  top_k: 8\n  norm: false\n",
    "model/qwen.yaml": "name: qwen\nlayers: 48\nexperts: 128\nmoe:\n  top_k: 8\n  norm: true\n  shared: null\n",
    "model/tiny.yaml": "name: tiny\nlayers: 2\n",
    "engine/cpu.yaml": "device: cpu\ndtype: float32\nthreads: [1, 2]\n",
    "engine/gpu.yaml": "device: cuda\ndtype: bfloat16\ngraph: {used: true}\n",
}

TREES = {
    **hydra_trees.TREES,
    "plain": [{
        "config.yaml": "a: 1\nb:\n  c: text\n  d: [1, 2, {e: 3}]\n  n: null\nf: 1.5\nopen: ???\n",
        "other.yaml": "z: last\na: first\nm: {}\nl: []\n",
        "empty.yaml": "",
        "comment.yaml": "# nothing but a comment\n",
        "listed.yaml": "defaults: []\nx: 1\n",
    }],
    "groups": [{
        "config.yaml": "defaults:\n  - model: olmoe\n  - engine: cpu\n  - _self_\n\nseed: 0\nmodel:\n  layers: 99\n",
        "first.yaml": "defaults:\n  - _self_\n  - model: olmoe\n\nseed: 0\nmodel:\n  layers: 99\n  mine: yes\n",
        "noself.yaml": "defaults:\n  - model: tiny\nmodel:\n  layers: 7\n",
        "open.yaml": "defaults:\n  - model: ???\n  - _self_\nseed: 1\n",
        "none.yaml": "defaults:\n  - model: null\n  - engine: gpu\n  - _self_\nseed: 1\n",
        "optional.yaml": "defaults:\n  - optional model: absent\n  - engine: cpu\n  - _self_\nseed: 1\n",
        "wrong.yaml": "defaults:\n  - model: absent\nseed: 1\n",
        "both.yaml": "defaults:\n  - model@first: olmoe\n  - model@second: qwen\n  - _self_\nfirst: {layers: 1}\n",
        "twice.yaml": "defaults:\n  - model: olmoe\n  - model: qwen\n",
        "many.yaml": "defaults:\n  - model: [olmoe, tiny]\n  - _self_\nx: 1\n",
        "global.yaml": "defaults:\n  - model@_global_: tiny\n  - _self_\nx: 1\n",
        "config_item.yaml": "defaults:\n  - other\n  - model/tiny\n  - _self_\nx: 1\n",
        "other.yaml": "defaults:\n  - engine: gpu\n\nx: 5\ny: 6\n",
        "selves.yaml": "defaults:\n  - _self_\n  - model: tiny\n  - _self_\nx: 1\n",
        **MODELS,
    }],
    "nested": [{
        "config.yaml": "defaults:\n  - server: apache\n  - _self_\nport: 1\n",
        "up.yaml": "defaults:\n  - server: apache\n  - override server/db: sqlite\n  - _self_\n",
        "late.yaml": "defaults:\n  - override server/db: sqlite\n  - server: apache\n",
        "bad_override.yaml": "defaults:\n  - server: apache\n  - override nothing/here: sqlite\n",
        "only_override.yaml": "defaults:\n  - override server/db: sqlite\nx: 1\n",
        "two.yaml": "defaults:\n  - server@a: apache\n  - server@b: apache\n  - override server/db@b.db: sqlite\n  - _self_\n",
        "absolute.yaml": "defaults:\n  - server: absolute\n  - _self_\n",
        "circle.yaml": "defaults:\n  - loop: one\n",
        "loop/one.yaml": "defaults:\n  - two\na: 1\n",
        "loop/two.yaml": "defaults:\n  - one\nb: 1\n",
        "server/apache.yaml": "defaults:\n  - db: mysql\n  - _self_\nname: apache\nport: 80\n",
        "server/absolute.yaml": "defaults:\n  - /shared/log: plain\n  - /shared/log@note: loud\n  - base\n  - _self_\nname: abs\n",
        "server/base.yaml": "base: true\nname: base\n",
        "server/db/mysql.yaml": "driver: mysql\nuser: root\n",
        "server/db/sqlite.yaml": "driver: sqlite\nfile: x.db\n",
        "shared/log/plain.yaml": "level: info\n",
        "shared/log/loud.yaml": "level: debug\n",
    }],
    "packages": [{
        "config.yaml": "defaults:\n  - study: base\n  - data: here\n  - _self_\n",
        "here.yaml": "defaults:\n  - data@_here_: here\n  - data@sub._group_: here\n  - _self_\n",
        "deep.yaml": "defaults:\n  - data@a.b.c: here\n  - _self_\na: {b: {d: 1}}\n",
        "over_scalar.yaml": "defaults:\n  - _self_\n  - data@a.b: here\na: 5\n",
        "exp.yaml": "defaults:\n  - model: tiny\n  - engine: cpu\n  - _self_\n  - optional experiment: null\nseed: 1\n",
        "group_header.yaml": "defaults:\n  - data: grouped\n",
        "experiment/big.yaml": "# @package _global_\ndefaults:\n  - override /model: qwen\n  - override /engine: gpu\n\nseed: 5\nmodel:\n  layers: 3\n",
        "study/base.yaml": "# @package _global_\ntop: 1\nstudy:\n  name: base\n",
        "study/named.yaml": "# @package deep.er\nx: 1\n",
        "study/late.yaml": "# a note first\n# @package _global_\nx: 1\n",
        "study/relative.yaml": "# @package foo\ndefaults:\n  - /data: here\n  - /data@bar: here\nx: 1\n",
        "data/here.yaml": "path: p\n",
        "data/list.yaml": "- 1\n- two\n",
        "data/grouped.yaml": "# @package _group_\nin_group: 1\n",
        **MODELS,
    }],
    "searched": [
        {"config.yaml": "defaults:\n  - model: mine\n  - _self_\nx: 1\n", "model/mine.yaml": "from: first\n"},
        {"config.yaml": "x: second\n", "model/mine.yaml": "from: second\n", "model/theirs.yaml": "from: second\n"},
    ],
    "choices": [{
        "config.yaml": "defaults:\n  - server: apache\n  - db: mysql\n  - pair: ${server}_${db}\n  - _self_\n",
        "early.yaml": "defaults:\n  - pair: ${server}_${db}\n  - server: apache\n  - db: mysql\n",
        "by_path.yaml": "defaults:\n  - server: apache\n  - pair/${server}_mysql\n",
        "unknown.yaml": "defaults:\n  - server: apache\n  - pair: ${nothing}_x\n",
        "below.yaml": "defaults:\n  - server: apache\n  - db: mysql\n  - pair: ${server}_bad\n",
        "server/apache.yaml": "name: apache\n",
        "server/nginx.yaml": "name: nginx\n",
        "db/mysql.yaml": "name: mysql\n",
        "db/sqlite.yaml": "name: sqlite\n",
        "pair/apache_mysql.yaml": "tuned: am\n",
        "pair/nginx_mysql.yaml": "tuned: nm\n",
        "pair/apache_bad.yaml": "defaults:\n  - override /db: sqlite\ntuned: bad\n",
    }],
    "merging": [{
        "config.yaml": "defaults:\n  - part: one\n  - part@other: one\n  - _self_\npart:\n  keep: ???\n  list: [9]\n  map: 3\n  new: {a: 1}\n",
        "clash.yaml": "defaults:\n  - part: one\n  - _self_\npart:\n  map: [1]\n",
        "clash2.yaml": "defaults:\n  - part: one\n  - _self_\npart:\n  list: {a: 1}\n",
        "null.yaml": "defaults:\n  - part: one\n  - _self_\npart:\n  map: null\n  keep: null\n",
        "whole.yaml": "defaults:\n  - part: one\n  - _self_\npart: null\n",
        "inter.yaml": "defaults:\n  - part: refers\n  - _self_\npart:\n  copy: {x: 9}\n",
        "part/one.yaml": "keep: 1\nlist: [1, 2]\nmap: {x: 1, y: 2}\n",
        "part/refers.yaml": "base: {x: 1, y: ${.x}}\ncopy: ${part.base}\n",
    }],
    "references": [{
        "config.yaml": "a: 1\nb: ${a}\nc: x${a}y${a}\nd:\n  e: ${.f}\n  f: 2.0\n  g: ${..a}\n  h: ${d.f}\nt: true\nn: null\n"
                       "s: ${t}-${n}-${d.f}\nl: [1, '${a}', '${l.0}', '${l[1]}']\nwhole: ${d}\ndeep: ${whole.f}\nname: f\n"
                       "nested: ${d.${name}}\nescaped: \\${a}\ntwice: \\\\${a}\nplain: $a {b}\n",
        "env.yaml": "a: ${oc.env:MOELAB_TEST_SET}\nb: ${oc.env:MOELAB_TEST_UNSET,5}\nc: ${oc.env:MOELAB_TEST_UNSET,null}\n"
                    "d: ${oc.env:MOELAB_TEST_UNSET,'a, b'}\ne: ${oc.env:MOELAB_TEST_UNSET,${k}}\nk: 1.0\n"
                    "f: ${oc.env:MOELAB_TEST_UNSET,/some/path-1}\ng: pre ${oc.env:MOELAB_TEST_SET} post\nh: ${oc.env:MOELAB_TEST_UNSET,true}\n",
        "unset.yaml": "a: ${oc.env:MOELAB_TEST_UNSET}\n",
        "unknown.yaml": "a: ${b.c}\nb: {d: 1}\n",
        "circle.yaml": "a: ${b}\nb: ${c}\nc: ${a}\n",
        "inside.yaml": "a: {b: '${a}'}\n",
        "open.yaml": "a: ${b}\nb: ???\n",
        "relative.yaml": "a: {b: {c: '${...x}', d: '${..y}', e: ['${..f}']}, y: 3}\nx: 4\n",
        "too_far.yaml": "a: {b: '${....x}'}\nx: 4\n",
        "unclosed.yaml": "a: ${b\n",
        "no_key.yaml": "a: ${}\n",
        "containers.yaml": "base: {x: 1, y: [1, '${other}']}\nother: 5\ncopy: ${base}\nlist: ['${base}', '${base.y}']\n",
    }],
    "resolvers": [{
        "select.yaml": "a: ${oc.select:b}\nb: 5\nc: ${oc.select:absent}\nd: ${oc.select:absent,7}\ne: ${oc.select:absent,${b}}\nf: {g: '${oc.select:.h}', h: 2.5}\n"
                       "i: ${oc.select:open,3}\nopen: ???\nj: ${oc.select:f.h,1}\nk: ${oc.select:n,1}\nn: null\nl: ${oc.select:f}\nm: ${oc.select:f.h.x,no}\n"
                       "o: ${oc.select:'f.h'}\np: ${oc.select:absent,[1,'b',{c: null}]}\nq: ${oc.select:l2.1}\nl2: [4, '${b}']\nr: {s: '${oc.select:..b}'}\nt: ${oc.select:absent,''}\n",
        "decode.yaml": "n: '12'\na: ${oc.decode:${n}}\nb: ${oc.decode:'[1, x, null]'}\nc: ${oc.decode:'{a: 1, b: [true]}'}\nd: ${oc.decode:null}\ne: ${oc.decode:${f}}\n"
                       "f: '1e3'\ng: ${oc.decode:'a b'}\nh: ${oc.decode:'\\${n}'}\ni: ${oc.decode:${oc.env:MOELAB_TEST_UNSET,5}}\nj: ${oc.decode:${k}}\nk: yes it is\n"
                       "l: ${oc.decode:true}\nm: ${oc.decode:\"'q'\"}\no: ${oc.decode:'0x10'}\n",
        "create.yaml": "x: 3\na: ${oc.create:{b: 1, c: [2, '${x}']}}\nd: ${oc.create:[1, 2]}\ne: ${a.b}\nf: ${a.c.1}\ng: ${oc.create:'k: 1'}\nh: ${oc.create:''}\n"
                       "i: ${oc.create:{m: '${.n}', n: 4}}\nj: ${oc.create:null}\nk: {l: '${oc.create:{o: ${..x}}}'}\n",
        "dicts.yaml": "m: {a: 1, b: '${x}', c: {d: 2}}\nx: 9\nk: ${oc.dict.keys:m}\nv: ${oc.dict.values:m}\nfirst: ${k.0}\nsecond: ${v.1}\nin: {q: {z: 1}, k: '${oc.dict.keys:.q}', v: '${oc.dict.values:.q}'}\n"
                      "again: ${m}\nka: ${oc.dict.keys:again}\nempty: {}\nke: ${oc.dict.keys:empty}\nve: ${oc.dict.values:empty}\nname: m\nkn: ${oc.dict.keys:${name}}\nki: ${oc.dict.keys:m.c}\n",
        "env.yaml": "a: ${oc.env:MOELAB_TEST_UNSET,[1,'x',{a: 1.0}]}\nb: ${oc.env:MOELAB_TEST_UNSET,{k: \"it's\", l: null}}\nc: ${oc.env:MOELAB_TEST_UNSET,${list}}\nlist: [1, two]\n"
                    "d: ${oc.env:${name}}\nname: MOELAB_TEST_SET\ne: ${oc.env:'MOELAB_TEST_SET'}\nf: ${oc.env:MOELAB_TEST_UNSET,a b  c}\ng: ${oc.env:MOELAB_TEST_UNSET, x }\nh: ${oc.env:MOELAB_TEST_UNSET,}\n"
                    "i: ${oc.env:MOELAB_TEST_UNSET,1.50}\nj: ${oc.env:MOELAB_TEST_UNSET,a\\,b}\nk: ${oc.env:MOELAB_TEST_UNSET,a:b:c}\nl: ${oc.env:MOELAB_TEST_UNSET,pre${oc.env:MOELAB_TEST_UNSET,1}post}\n",
        "texts.yaml": "l: [1, two, 2.5, null, true]\nm: {a: 1, 'b c': \"it's\", r: '${x}', d: {e: []}}\nx: 7\na: 'l=${l}'\nb: 'm=${m}'\nc: '${x}${x}'\nd: '${l.1}-${m.a}'\ne: 'k=${oc.dict.keys:m}'\n"
                      "f: '${n}.'\nn: null\ng: '${t}.'\nt: false\nh: '${f2}.'\nf2: 1e-7\n",
        "now.yaml": "a: ${now:%Y-%m-%d}\nb: run_${now:%H-%M-%S}\nc: ${now:%Y/%j %a}\nd: ${now:'%H:%M'}\n",
        "paths.yaml": "a: {b: {c: 1}}\nr: ${a}\ns: ${r.b}\nt: ${s.c}\nu: ${r[b][c]}\nv: ${a['b']}\n",
        "unknown.yaml": "a: ${mine:1,2}\nb: 1\n",
        "syntax.yaml": "a: ${oc.env:(x)}\n",
        "one.yaml": "a: 0\nx: 7\nm: {k: v}\nl: [1, b]\nn: null\nopen: ???\n",
    }],
    "hydra": [{
        "config.yaml": "defaults:\n  - db: one\n  - _self_\nx: 1\nhydra:\n  run: {dir: 'out/${x}'}\n  job: {name: trees}\n",
        "with_override.yaml": "defaults:\n  - db: one\n  - override hydra/job_logging: disabled\n  - override hydra/hydra_logging: disabled\n  - _self_\nx: 1\n",
        "values.yaml": "defaults:\n  - db: one\n  - _self_\nx: 1\na: ${hydra:job.config_name}\nb: ${hydra:runtime.choices.db}\nc: ${hydra:job.override_dirname}\nd: ${hydra:overrides.task}\n"
                       "e: ${hydra:run.dir}\nf: ${hydra:nothing.here}\nhydra: {run: {dir: 'out/${db.name}/${x}'}}\n",
        "db/one.yaml": "name: one\n",
        "db/two.yaml": "name: two\n",
    }],
    "search": [
        {"config.yaml": "hydra:\n  searchpath: ['file://${oc.env:MOELAB_TEST_TREE}/../d1', 'file:///no/such/folder']\ndefaults:\n  - model: mine\n  - _self_\nx: 1\n",
         "wrong.yaml": "hydra: {searchpath: 5}\nx: 1\n", "model/mine.yaml": "from: first\n"},
        {"model/mine.yaml": "from: second\n", "model/theirs.yaml": "from: second\n"},
    ],
    "yaml": [{
        "anchors.yaml": "a: &a {x: 1, y: 2}\nb: *a\nc:\n  <<: *a\n  y: 3\n  z: 4\nd:\n  z: 0\n  <<: [{x: 7, w: 1}, *a]\n",
        "twice.yaml": "a: 1\nb: 2\na: 3\n",
        "twice_below.yaml": "a:\n  b: 1\n  b: 2\n",
        "keys.yaml": "2: one\ntrue: yes\n1.5: f\nplain: p\n'quoted key': q\n",
        "text.yaml": "a: |\n  two\n  lines\nb: >\n  one\n  line\nc: 'it''s'\nd: \"tab\\t\\u00e9\"\ne: plain # note\nf: a#b\n",
        "tags.yaml": "a: !!str 12\nb: !!int 7\nc: !!float 3\nd: !!str null\n",
        "custom.yaml": "a: !mine 1\n",
        "tabs.yaml": "a:\n\tb: 1\n",
        "two_documents.yaml": "a: 1\n---\nb: 1\n",
        "scalar.yaml": "- 1\n- 2\n",
        "unfinished.yaml": "a: [1, 2\n",
        "null_key.yaml": "null: 1\n",
        "defaults_map.yaml": "defaults: {a: b}\n",
        "defaults_number.yaml": "defaults:\n  - 5\n",
        "defaults_pair.yaml": "defaults:\n  - {a: b, c: d}\n",
        "latin.yaml": "é: ü\nemoji: 🙂\n",
        "dumped.yaml": "a: 'yes'\nb: '12'\nc: y\nd: ''\ne: 'a: b'\nf: '#x'\ng: '- x'\nh: 'null'\ni: 1e3\nj: .inf\nk: 1.0e-7\n"
                       "l:\n  - a: 1\n    b: [x]\n  - []\n  - {}\n  - - 1\n    - 2\nm: 'a''b'\nn: '2024-01-01'\no: '1:30'\np: ' x '\nq: \"@x\"\nr: 'x:'\n",
    }],
}
