import gitmemo as gm
storage=gm.open()
def h(x): return x+1
@gm.op
def f(x): return [h(x)]*500
with storage: print(storage.unwrap(f(1))[0])

