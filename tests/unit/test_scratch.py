from random import Random
import time
from .building import *
from datetime import date
import pytest
def hard(offers=40,periods=8,seed=4,goods=("metal","oxide","salt")):
    dice=Random(seed)
    sites=[facility("all","AU",200*offers)]
    sold=[]
    for i in range(offers):
        sites.append(facility(f"p{i}","AU",300+dice.randrange(200),within="all"))
        for g in goods:
            sold.append(source("AU",100+dice.randrange(10),g,name=f"p{i}-{g}",plant=f"p{i}",min_order=60+dice.randrange(60),max_order=150+dice.randrange(60),
              capacity_use=kg(0.5+dice.randrange(10)/10),onboarding=5000+dice.randrange(9000),onboarding_currency="USD"))
    wanted=lambda:[offers*20+dice.randrange(offers*20) for _ in range(periods)]
    return case(*(demand(g,"civil",*wanted(),price=2000) for g in goods),stores=[store(g,20) for g in goods]),catalog(*sites,*sold)
@pytest.mark.parametrize("limit",[0.05,.3,1,10])
def test_x(limit):
    c,k=hard()
    t=time.time()
    f=planned(c,k,time_limit=limit)
    print(limit,time.time()-t,f.status,f.objective,f.bound,f.gap,f.run.components)
