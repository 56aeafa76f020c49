"""The (tree, config, overrides) cases, override strings, sweeps and scalars whose meaning Hydra decides."""

import hydra_trees

COMPOSE = hydra_trees.CASES + [
    ("plain", "config", [
        "", "a=2", "b.c=new", "b.n=5", "b.d=[]", "b.d.0=9", "b.d.2.e=4", "b.d.7=1", "b={c: other}", "b={new: 1}", "b=5", "b=null",
        "+b={new: 1}", "++b={new: 1, c: 2}", "b=[1]", "b.d={a: 1}", "x=1", "+x=1", "++x=1", "++a=5", "+a=5", "+b.n=7", "+open=7",
        "open=7", "+deep.er.key=1", "++a.below=1", "a.below=1", "+a.below=1", "b.nothing.x=1", "~a", "~a=1", "~a=2", "~b.c", "~b",
        "~b.n", "~open", "~b.d.0", "~absent", "a=${f}", "a=${", "'a=b'", "a=1|a=2", "+x=1|x=2", "+x={y: {z: 1}}|x.y.z=2",
        "b.d.0=[1]|b.d.0.0=7", "+b.d.5=1", "+b.d=[7]", "a=1,2", "a=???", "+a.b.c=${a}", "++b.d.0.x=1", "a@pkg=1", "~f=1.5",
        "a={}", "b={}", "+b.d.2={z: 1}", "b.d.2={z: 1}", "a", "=1", "=", "~", "a@=x", "+x={null: 1}", "f=1.5e3", "f=1_000", "f='x'", "f=\"a, b\"", "f=a\\,b", "f=nan",
    ]),
    ("plain", "other", ["", "m.x=1", "+m.x=1", "l.0=1", "l=[1,[2,{a: b}]]"]),
    ("plain", "empty", ["", "+a=1", "a=1"]),
    ("plain", "comment", [""]),
    ("plain", "listed", [""]),
    ("plain", "absent", [""]),
    ("groups", "config", [
        "", "model=qwen", "model=absent", "model=qwen|engine=gpu", "model=[qwen,tiny]", "~model", "~model=olmoe", "~model=qwen",
        "model=null", "model=5", "model='tiny'", "+model=tiny", "++model=tiny", "+model@aux=tiny", "model@aux=tiny", "engine@model=cpu",
        "model={layers: 5}", "model.layers=5", "model=qwen|model.layers=1", "modle=qwen", "+model@_global_=tiny", "model=qwen|+model@m.n=tiny",
        "~engine|~model", "model.moe.top_k=2", "~model.moe", "engine.threads=[4]", "+engine.new=1", "+model@x=[tiny,olmoe]", "~absent",
        "engine.graph.used=1", "model=Qwen",
    ]),
    ("groups", "first", ["", "model=qwen", "+engine=cpu"]),
    ("groups", "noself", ["", "+engine=cpu", "model=olmoe"]),
    ("groups", "open", ["", "model=tiny"]),
    ("groups", "none", ["", "model=tiny", "engine=cpu"]),
    ("groups", "optional", ["", "model=tiny", "model=stillabsent"]),
    ("groups", "wrong", ["", "model=tiny"]),
    ("groups", "both", ["", "model@first=tiny", "model@second=tiny", "model=tiny", "~model@first", "second.moe.norm=5"]),
    ("groups", "twice", [""]),
    ("groups", "many", ["", "model=qwen", "model=[tiny,qwen]", "model=[]", "model=[1]", "~model"]),
    ("groups", "global", ["", "model@_global_=olmoe"]),
    ("groups", "config_item", ["", "engine=cpu"]),
    ("groups", "selves", [""]),
    ("nested", "config", ["", "server/db=sqlite", "server.db.user=me", "server/db=absent", "~server/db", "~server", "server=absolute"]),
    ("nested", "up", ["", "server/db=mysql"]),
    ("nested", "late", [""]),
    ("nested", "bad_override", [""]),
    ("nested", "only_override", ["", "+server=apache"]),
    ("nested", "two", ["", "server/db@a.db=sqlite", "server/db=sqlite"]),
    ("nested", "absolute", ["", "shared/log@server.shared.log=loud", "shared/log@server.note=plain"]),
    ("nested", "circle", [""]),
    ("packages", "config", ["", "study=named", "study=late", "study=relative", "data=list", "+data@q=list", "data=grouped", "+experiment=big"]),
    ("packages", "here", [""]),
    ("packages", "deep", ["", "data@a.b.c=list"]),
    ("packages", "over_scalar", [""]),
    ("packages", "exp", ["", "experiment=big", "experiment=big|model=tiny", "experiment=big|seed=9", "experiment=absent"]),
    ("searched", "config", ["", "model=theirs", "model=none"]),
    ("choices", "config", ["", "server=nginx", "server=nginx|db=sqlite", "pair=apache_mysql|server=nginx"]),
    ("choices", "early", ["", "server=nginx"]),
    ("choices", "by_path", ["", "server=nginx"]),
    ("choices", "unknown", [""]),
    ("choices", "below", [""]),
    ("merging", "config", ["", "part.map={z: 1}"]),
    ("merging", "clash", [""]),
    ("merging", "clash2", [""]),
    ("merging", "null", [""]),
    ("merging", "whole", ["", "part.keep=1", "++part.keep=1"]),
    ("merging", "inter", ["", "part.copy.x=3", "++part.copy.x=3", "~part.base.x", "+part.copy.z=1"]),
    ("references", "config", ["", "a=7", "a=${d}", "d.e=${..t}", "+z=${d.e}", "whole.f=1", "+whole.q=1", "+whole.f=1", "~whole.f"]),
    ("references", "env", [""]),
    ("references", "unset", [""]),
    ("references", "unknown", [""]),
    ("references", "circle", ["", "c=1"]),
    ("references", "inside", [""]),
    ("references", "open", ["", "b=3", "+a={c: 1}", "+b={c: 1}", "~a"]),
    ("references", "relative", [""]),
    ("references", "too_far", [""]),
    ("references", "unclosed", [""]),
    ("references", "no_key", [""]),
    ("references", "containers", ["", "other=6"]),
    ("resolvers", "select", [""]), ("resolvers", "decode", [""]), ("resolvers", "create", [""]), ("resolvers", "dicts", [""]),
    ("resolvers", "env", [""]), ("resolvers", "texts", [""]), ("resolvers", "now", [""]), ("resolvers", "paths", [""]),
    ("resolvers", "unknown", [""]), ("resolvers", "syntax", [""]),
    ("resolvers", "one", [
        "a=${oc.select:x}", "a=${oc.select:m.k}", "a=${oc.select:nothing,${x}}", "a=${oc.select:}", "a=${oc.select:1}", "a=${oc.decode:'[1, 2]'}",
        "a=${oc.decode:5}", "a=${oc.decode:null}", "a=${oc.decode:''}", "a=${oc.decode:'1,2'}", "a=${oc.decode:'{a: 1'}", "a=${oc.create:5}",
        "a=${oc.create:x}", "a=${oc.create:null}", "a=${oc.dict.keys:m}", "a=${oc.dict.keys:l}", "a=${oc.dict.keys:x}", "a=${oc.dict.keys:n}",
        "a=${oc.dict.keys:absent}", "a=${oc.dict.keys:open}", "a=${oc.dict.values:m}", "a=${oc.dict.values:l}", "a=${oc.dict.values:absent}",
        "a=${oc.env}", "a=${oc.env:}", "a=${oc.env:5}", "a=${oc.env:A,B,C}", "a=${oc.nothing:1}", "a=${nothing:}", "a=${now:%Y}", "a=${now:}",
        "a=${now:x,y}", "a=${oc.deprecated:x}", "a=${oc.deprecated:absent}", "a=${oc.select:open}", "a=${oc.select:open,4}", "a=${m.k[0]}",
        "a=${x.y}", "a=${x.y.z}", "a=${n.y}", "a=${open.y}", "a=${l.5}", "a=${l.-1}", "a=${l.x}", "a='p${l}q'", "a='${m}'", "a='-${m}-${l}-'",
        "a='${oc.dict.keys:m}!'", "a=${oc.create:{q: 1}}", "a='\\\\${x}'", "a='\\${x}'", "a='${x'", "a=['${x}', {k: '${l}'}]", "a={k: '${'}",
        "++m.k=${x}", "m=${oc.create:{z: 1}}", "a=${ x }", "a=${x }", "a=${.x}", "a=${..x}", "a=${[x]}", "a=${m[k]}", "a=${m.[k]}", "a=${m..k}",
        "a=${x:}", "a=${x.:}", "a=${x-y}", "a=${1}", "a=${m/k}", "a=${m@k}", "a=$x", "a=${}", "a=${ }", "a=${.}",
    ]),
    ("hydra", "config", ["", "db=two", "hydra.run.dir=elsewhere", "hydra.job.name=mine", "+hydra.job.env_set.A=1", "hydra/launcher=basic", "x=5|db=two"]),
    ("hydra", "with_override", ["", "db=two"]),
    ("hydra", "values", ["", "x=3", "db=two|x=3"]),
    ("search", "config", ["", "model=theirs"]),
    ("search", "wrong", [""]),
] + [("yaml", name, [""]) for name in (
    "anchors twice twice_below keys text tags custom tabs two_documents scalar unfinished null_key defaults_map "
    "defaults_number defaults_pair latin dumped").split()]

OVERRIDES = [
    "a=1", "a=-1", "a=+1", "a=1.0", "a=1.", "a=.5", "a=-.5", "a=1e3", "a=1.5e-3", "a=1_000", "a=1__0", "a=08", "a=0", "a=00", "a=0x10",
    "a=inf", "a=-inf", "a=NaN", "a=info", "a=true", "a=TRUE", "a=False", "a=yes", "a=on", "a=null", "a=NULL", "a=None", "a=~", "a=",
    "a= ", "a= x", "a=x ", "a=x y", "a='x y'", "a=\"x y\"", "a='it\\'s'", "a='a\\\\'", "a='a\\b'", "a='", "a='x'y", "a=x'y'", "a=''",
    "a=x-y_z", "a=/p/q.txt", "a=http://x.y:80/z?q", "a=a:b", "a=a : b", "a=1:30", "a=a=b", "a=a\\=b", "a=a\\ b", "a=\\", "a=a\\b", "a=x@y",
    "a=50%", "a=x|y", "a=x*y+z", "a=x#y", "a=x<y", "a=é", "a=!x", "a=~x", "a=&x", "a=2024-01-01", "a=10-5", "a=1.2.3", "a=v1.2",
    "a=[]", "a=[1]", "a=[1,2]", "a=[1, 2 ,3]", "a=[[1],[2,3]]", "a=[a,'b c',null,true,1.5]", "a=[1,", "a=[1]]", "a=[,]", "a=[1,]",
    "a={}", "a={b:1}", "a={b: 1, c: {d: [2]}}", "a={b}", "a={1:2}", "a={'b':1}", "a={b:1,b:2}", "a={b c: 1}", "a={a.b: 1}",
    "a=${b}", "a=${b.c}/x", "a=${oc.env:HOME}", "a=${a:${b}}", "a=$b", "a=${", "a='${x}'", "a=[${x},1]",
    "a=1,2", "a=1 , 2", "a=1,", "a=,1", "a='1,2',3", "a=[1,2],[3]", "a={x:1},{x:2}", "a=x\\,y,z", "a=a b, c", "a=true,false,null",
    "a.b=1", "a.0.b=1", "a.b.=1", ".a=1", "a..b=1", "a-b=1", "-a=1", "0=1", "$a=1", "a/b=x", "a/b.c=x", "a/b@c.d=x", "a@b=x",
    "a@b@c=x", "+a=1", "++a=1", "+++a=1", "~a", "~a=1", "~+a", "+a", "a", "", "a b=1", "a =1", "a.b@c=1", "~a@b", "~a=",
    "_a=1", "a$b=1", "a=x\ty", "a=1 2", "a=- 1", "a=true x", "a=\\\\", "a=\\,", "a=[a\\]b]", "a=[ ]", "a={ }", "a=[1 ]", "a=9223372036854775807",
    "a=[\"x\",y z]", "a=x,y,\"z,w\"", "a=1e-7", "a=123456789.0", "a=1e16", "a=1e22,2", "a=0.1,100000.0",
]

FUNCTIONS = [
    "a=choice(1,2,3)", "a=choice(a)", "a=choice()", "a=choice( a , 'b c' ,\"d\")", "a=choice([1,2],{x: y})", "a=choice(null)", "a=choice(a,null)",
    "a=choice(choice(1,2))", "a=choice(sort(2,1))", "a=choice(sort(2,1),3)", "a=choice(range(3))", "a=choice(x=1)", "a=choice (a,b)", "a=choice(a b,c)",
    "a=choice(1,2),3", "a=[choice(1,2)]", "a={k: choice(1,2)}", "a=choice(a\\,b,c)", "a=choice(${x},${y})", "a=choice(1,", "a=choice(1))", "a=choice(1 2)",
    "a=range(3)", "a=range(1,4)", "a=range(0,10,3)", "a=range(5,0,-2)", "a=range(0)", "a=range(3,1)", "a=range(1,2,0)", "a=range(0,1,0.1)", "a=range(0,1,0.25)",
    "a=range(1,0,-0.3)", "a=range(0.1,1.0,0.1)", "a=range(1.5)", "a=range(1,3,0.5)", "a=range(0,3,1.0)", "a=range(0,1,0.0)", "a=range(-1,1,0.7)",
    "a=range(0,1,1e-1)", "a=range(0,0.7,0.07)", "a=range(1e-3,1e-2,3e-3)", "a=range(0,2,0.3333333333333333)", "a=range(true)", "a=range(a)", "a=range('1')",
    "a=range()", "a=range(1,2,3,4)", "a=range(start=1,stop=4)", "a=range(start=1,stop=4,step=2)", "a=range(stop=3)", "a=range(1,stop=3)", "a=range(1,start=3)",
    "a=range(start=1,4)", "a=range(1,null)", "a=range(1,stop=null)", "a=range(step=2,stop=5,start=1)", "a=range(1,x=2)", "a=range(start=1,start=2)",
    "a=interval(0,1)", "a=interval(1.5,2)", "a=interval(start=0,end=1)", "a=interval(0)", "a=interval(a,b)", "a=interval(2,1)", "a=interval(0,1),2",
    "a=glob(*)", "a=glob(a*)", "a=glob([a*,b?])", "a=glob(*,exclude=b*)", "a=glob(include=*,exclude=[a,b])", "a=glob(1)", "a=glob()", "a=glob([1])", "a=glob(*,b*)",
    "a=glob('x y')", "a=glob(x,y,z)", "a=glob(*,exclude=null)",
    "a=sort(3,1,2)", "a=sort(b,a,c)", "a=sort(3,1,2,reverse=true)", "a=sort([3,1,2])", "a=sort([3,1,2],reverse=true)", "a=sort(choice(3,1,2))",
    "a=sort(sweep=choice(b,a))", "a=sort(list=[2,1])", "a=sort(range(10,1,-3))", "a=sort(range(1,10,3))", "a=sort(range(1,10,3),reverse=true)",
    "a=sort(range(10,1,-3),reverse=true)", "a=sort(range(1,0,-0.25))", "a=sort(a)", "a=sort(5)", "a=sort({a: 1})", "a=sort()", "a=sort(1,a)", "a=sort(a,null)",
    "a=sort(1,true,0.5)", "a=sort(1,2.5,-3)", "a=sort([a,1])", "a=sort([[2,1],[1,9]])", "a=sort(choice([2],[1]))", "a=sort(reverse=true)", "a=sort(1,2,reverse=1)",
    "a=sort(interval(0,1))", "a=sort(glob(*))", "a=sort('b','a')", "a=sort(['b','a'])", "a=sort(1,1.0,true)", "a=sort(B,a,C)", "a=sort(é,z)", "a=sort([])", "a=sort(null)",
    "a=sort(2,1),3", "a=sort(range(1,1))", "a=sort(choice(1,2),3)", "a=sort(1,2,x=1)", "a=sort(list=5)", "a=sort(sweep=[1])",
    "a=tag(choice(1,2))", "a=tag(t,choice(1,2))", "a=tag(t1,t2,range(3))", "a=tag('x y',interval(0,1))", "a=tag()", "a=tag(t)", "a=tag(1,choice(1,2))",
    "a=tag(t,sweep=choice(1,2))", "a=tag(sweep=choice(1,2))", "a=tag(b,a,choice(1))", "a=tag(t,tag(u,choice(1,2)))", "a=tag(t,glob(*))", "a=tag(t,sort(2,1))",
    "a=int(3)", "a=int(3.7)", "a=int(-3.7)", "a=int('4')", "a=int(' 5 ')", "a=int(1_0)", "a=int('1_0')", "a=int('010')", "a=int(x)", "a=int('3.5')", "a=int(true)",
    "a=int(null)", "a=int(inf)", "a=int(nan)", "a=int(1e3)", "a=int([1.5,'2'])", "a=int({x: 1.5})", "a=int(1.5,2.5)", "a=int(choice(1.5,2.5))", "a=int(range(1.5,4.5))",
    "a=int(interval(1.5,2.5))", "a=int(tag(t,interval(1.5,2.5)))", "a=int(tag(t,choice(1.5)))", "a=int(value=3.5)", "a=int()", "a=int(1,value=2)", "a=int(value=null)",
    "a=int(choice(a,b))", "a=int(glob(*))", "a=int('')", "a=int('0x10')", "a=int('+5')", "a=int('1__0')", "a=int(x=1)", "a=int(range(0.5,2,0.5))",
    "a=float(3)", "a=float('1e3')", "a=float('inf')", "a=float('Infinity')", "a=float(' -2.5 ')", "a=float('1_0.5')", "a=float('x')", "a=float('.')", "a=float('5.')",
    "a=float(true)", "a=float([1,2])", "a=float(range(1,4))", "a=float(choice(1,2))", "a=float(interval(1,2))", "a=float(null)", "a=float(1,2)", "a=float('1e')",
    "a=str(1)", "a=str(1.0)", "a=str(1e16)", "a=str(true)", "a=str('a b')", "a=str(a,b)", "a=str([1,true,'x y'])", "a=str({k: 1, l: [2.5]})", "a=str(choice(1,2))",
    "a=str(range(3))", "a=str(interval(0,1))", "a=str(null)", "a=str(nan)", "a=str('a,b',c)", "a=str(1_000)", "a=str([null])",
    "a=bool(1)", "a=bool(0)", "a=bool(0.0)", "a=bool(nan)", "a=bool('true')", "a=bool(FALSE)", "a=bool('x')", "a=bool('False')", "a=bool('')", "a=bool(null)", "a=bool(1,0)",
    "a=bool([1,0,'True'])", "a=bool({x: 0})", "a=bool(choice(1,0))", "a=bool(range(2))", "a=bool(interval(0,1))", "a=bool(no)", "a=bool(choice(1,a))",
    "a=[int('1'),float(2),str(3)]", "a={x: int('1')}", "a=int(float('2.0'))", "a=str(int('3'))", "a=sort(int('10'),int('9'))", "a=float(sort(2,1))",
    "a=choice(int('1'),float(2))", "a=sort(shuffle([1]))", "a=shuffle(x)", "a=shuffle([7])", "a=shuffle(choice(7))", "a=shuffle(null)", "a=shuffle(range(1))",
    "a=shuffle(interval(0,1))", "a=shuffle(sweep=choice(7))", "a=shuffle(list=[7])", "a=shuffle({a: 1})", "a=shuffle(glob(*))", "a=shuffle(a,null)", "a=shuffle(x=1)",
    "a=unknown(1)", "a=foo()", "a=Choice(1,2)", "a=choice", "a=choice ", "a=x(1", "a=(1,2)", "a=f x(1)", "a=x y(1)", "+a=choice(1,2)", "++a=range(2)", "~a=choice(1,2)",
    "a@b=choice(x,y)", "a/b=glob(*)", "a=choice(x=1,2)", "a=range(start = 1, stop = 3)", "a=choice(a=b)", "a=range(1e3,1.1e3,50)", "a=range(10,0)", "a=range(-2,3,2)",
]

# What hydra-core has since 1.4 only.
NEWER_FUNCTIONS = [
    "a=extend_list(1)", "a=extend_list(1,2)", "a=extend_list()", "a=extend_list(a,'b c',[1,2],{k: v})", "a=extend_list(null)", "+a=extend_list(1)", "~a=extend_list(1)",
    "++a=extend_list(1)", "a=extend_list(x=1)", "a=extend_list(1),2", "a=json_str(1)", "a=json_str('x')", "a=json_str(null)", "a=json_str(true)",
    "a=json_str([1,'a',null,1.5])", "a=json_str({a: 1, b: ['x y', true]})", "a=json_str(choice(1,a))", "a=json_str(1,a)", "a=json_str(interval(0,1))", "a=json_str('é \"q\"')",
    "a=json_str(value=[1])", "a=json_str()", "a=json_str(1e16)", "a=json_str([])", "a=json_str({})", "a=json_str(nan)", "a=json_str({1: 2, true: 3})",
]
NEWER_COMPOSE = [
    ("plain", "config", ["b.d=extend_list(4)", "b.d=extend_list(4,[5],{e: 6})", "b.d=extend_list()", "a=extend_list(1)", "b=extend_list(1)", "x=extend_list(1)",
                         "open=extend_list(1)", "b.n=extend_list(1)", "b.d=extend_list('${a}')|a=7", "a=json_str([1,'x'])", "b.d.2.e=extend_list(1)", "f=json_str({a: 1})"]),
    ("plain", "other", ["l=extend_list(1,2)", "l=extend_list(1)|l=extend_list(2)", "l=extend_list(null)"]),
    ("references", "containers", ["base.y=extend_list(3)", "list=extend_list('${other}')"]),
]

GLOB_SWEEPS = [  # over the options of the tree "groups"
    ["model=glob(*)"], ["model=glob(*,exclude=q*)"], ["model=glob([olmoe,t*])"], ["model=glob(x*)"], ["engine=glob(?pu)", "a=1,2"], ["nothing=glob(*)"],
    ["model=glob([!q]*)"], ["model=glob('[oq]*')"], ["model@x=glob(*e)"], ["+model=glob(*)", "b=1,2"],
]

SWEEPS = [
    ["a=choice(1,2)", "b=range(2)"], ["a=range(0,0.3,0.1)", "b=x,y"], ["a=sort(3,1,2)", "b=choice('p q','r,s')"], ["a=interval(0,1)"], ["a=range(2,1)", "b=1,2"],
    ["a=str(1,2.0,true)"], ["a=choice([1,2],{x: y})"], ["a=tag(t,choice(1,2))"], ["a=int('3')", "b=1,2"], ["a=float([1,2])"], ["~a=1,2"], ["a=choice(1,2)", "a=5"],
    ["a=5", "b=1,2", "a=choice(1,2)"], ["a=bool(1,0)", "+b=sort(range(3,0,-1))"], ["a=choice(1,2),3"], ["a=range(1,3),5"],
    ["a=1,2"], ["a=1,2", "b=3,4"], ["b=3,4", "a=1,2"], ["a=1,2", "x=5", "b=3,4,5"], ["a=1", "b=2"], [], ["a=1,2", "a=3"],
    ["a=3", "b=1,2", "a=1,2"], ["model=olmoe,qwen", "+x=1,2"], ["+a=1,2", "a=3,4"], ["a='x,y',z"], ["a=[1, 2],[3]"],
    ["a={x: 1},{y: [2, 3]}"], ["a=1e3,0.00001,1.50,True,NULL"], ["~a", "b=1,2"], ["m@p=a,b", "m@q=c"], ["a=x y,${b}"],
    ["a=a\\,b,c"], ["a=p/q,r=s"], ["a=\"q\",'r'"], ["a=", "b=1,2"], ["a=1,2,3", "b=1,2", "c=1,2"], ["a=a:b,c=d\\=e"], ["a=(1)"],
]

SCALARS = """
null Null NULL ~ nUll true True TRUE tRUE false False FALSE yes Yes YES yEs no No NO on On ON oN off Off OFF y Y n N t f
0 1 -1 +1 007 010 08 09 -010 0o17 0b101 0b102 0b -0b11 0x1F 0xfg 0x -0xA +0x1f 1_000 1__0 _1 1_ 0_7 0_ 00 12345678901 9223372036854775807
1:30 1:60 1:5 01:30 -1:30 1:2:3 190:20:30 1:30.5 -1:30.5 01:30.5 1:30. 60:00 1:99 24:61.5 1_0:30
1.0 1. .5 -.5 +.5 -1.5 +1.5 1.5e3 1.5e+3 1.5e-3 1.5E3 1e3 1E3 1e+3 1e-3 -1e3 e3 1e .e3 .5e3 .5e+3 1_0.5 1__0.5 1_.5 1._5 1_0e3 1__0e3
1.5e 1.e5 1.e+5 ._5 . .. -. + - +- 1.2.3 1-2 1e3.5 08.5 08e1 1_000.5 1_.5e3 1_.5e+3 12e03 1e400 1e-400 -0 -0.0
.inf .Inf .INF .iNf -.inf +.inf inf -inf .nan .NaN .NAN nan -.nan 2024-01-01 2001-12-14T21:59:43Z 12:30:45 a a-b a_b 1a 0xyz
abc/def a:b a=b <<a =a x= @home `x` %x !x &x *x ??? ${a} None none undefined Infinity 1,000 $5 5% 1e5x 0e0 0.e0 1_e5 0b1_0 0x_1 0_b1
""".split()

# Where moelab differs on purpose (docs/configuration.md): what it refuses and hydra-core takes, or the other way round.
ON_PURPOSE = {
    "a=glob([1])": "a pattern that is no text is an error at once, not when the sweep is split",
    "a=json_str(value=[1])": "value= works as it does in the other casts; hydra-core 1.4 refuses it by a slip of its type check",
}
ON_PURPOSE_CONFIGS = {"keyword_wrong": "an unknown keyword in a defaults item is an error; hydra-core ignores it"}
