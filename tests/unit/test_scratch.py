import time
from random import Random
from .building import *
from datetime import date
import pytest
def hard(offers=40,periods=8,seed=4,goods=("metal","oxide","salt")):
    dice=Random(seed)
    sites=[facility("all","AU",60*offers)]
    sold=[]
    for i in range(offers):
        sites.append(facility(f"p{i}","AU",1000,within="all"))
        gives={g:(20+dice.randrange(80))/100 for g in goods}
        order=60+dice.randrange(60)
        sold.append(offer(f"p{i}-run",f"p{i}","metal",round(100*sum(gives.values()))+dice.randrange(20),chain("AU",*METAL),outputs=lines(**gives),min_order=order,max_order=order,
              onboarding=2000+dice.randrange(2000),onboarding_currency="USD"))
    wanted=lambda:[offers*15+dice.randrange(offers*5) for _ in range(periods)]
    return case(*(demand(g,"civil",*wanted(),price=1000) for g in goods),stores=[store(g,1,limit=0) for g in goods]),catalog(*sites,*sold)
@pytest.mark.parametrize("limit",[.05,.3,1,3,20])
def test_x(limit):
    c,k=hard()
    t=time.time()
    f=planned(c,k,time_limit=limit)
    print(limit,time.time()-t,f.status,f.objective,f.bound,f.gap,f.run.components)
