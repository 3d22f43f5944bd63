"""Words that explanations of mistakes have in common, whatever they are about.

One design decision: two plain lists; a word that is missing from them makes the check of the explanation a little
stricter and nothing else.
"""

import re

EMPTY = frozenset(re.findall(r"\w+", """
    a actual actually again all already also an and another answer any are attempt be because been being best but
    by calculation calculations check checked choice choose clearly close conclude conclusion contain contains
    correct correctly could did do does done down effort end ended equal equals error errors even expected
    explanation failed false far fault faulty final find fine first flawed follow followed following follows for
    found from gave get gets give given gives go goes going gold good got great had has have he hence her here
    him his i if in inaccurate incorrect incorrectly instead invalid is it its job just know known last lead
    leads less like logic logical looks made make makes may me might mistake mistaken model more must my need
    needs nice no not now occurs of off on one ones only option or original our out over own part pick place
    please point problem problems process proper rather reached reaching really reason reasoning reasons reply
    result review right s same see seems select she should show shows simply since so solution solutions some
    something sorry step still student students such t take taken than thank that the their them there therefore
    they things think this though thus to true try trying unfortunately untrue up us valid value values very was
    we well went were what where which while who why will with work working would write written wrong wrongly
    wrote yet you your
"""))
"""Blame, praise and what holds them together: made of these alone, an explanation says nothing."""

COMMON = frozenset(re.findall(r"\w+", """
    a about above across add added after again against ago all almost along also although always among an and
    another any anybody anyone anything apply are around as asked asks at away back base based basic be became
    because become been before begin behind being below beneath beside between beyond both break but by came can
    cannot carry case cases chose come conclude copy correct correctly could count current data did digit do does
    doing done down drop due during each either else equal equals error errors even ever every everybody everyone
    everything exact explanation extra fact fail far few fewer final find finding first follow followed follows
    for form former found from fully further gave get gets getting give given gives goes going gone got had half
    halve has have he her here hers herself him himself his how however i if imply in incorrect incorrectly infer
    info initial inside instead into is isn issue it item items its itself join judge just keep keeps kept know
    known lack last late later latter lead leads least leave leaves leaving left less let like line list little
    long lose lost lot made make makes making many mark maths may mean means meant might minus miss mistake
    mistaken mistakenly mix mixed more most much must myself near need needed needs neither never new next no
    nobody none nor not nothing now number numbers of off often omit on once one only onto or order original
    other others our out outside over own part parts perhaps plus problem problems process proof prove put
    question quite range rate rather ratio read reason refer rest right root round rule same saw say says see
    seen set shall she short show shown side sides sign signs simply since size skip so solution solve some
    somebody someone something sometimes soon sort stage start state stated statement states step steps still
    story student such swap take taken takes taking term terms text than that the their them themselves then
    there therefore these they thing things third this those through thus till times to too took toward towards
    treat true twice two type under unit units until upon use used uses using vague value values very was way we
    well went were what whatever when where which while who whole whom whose why will with within without words
    work would wrong wrongly yes yet you your zero
"""))
"""Words of which any explanation may be made: they say something, but not of what."""

BEGINNINGS = frozenset(re.findall(r"\w+", """
    accoun accura actual adding additi algebr alread amount answer applie approa arithm assume assumi assump
    attemp beginn bracke calcul carrie certai change choice choose chosen combin common compar comple comput
    concep condit confus consid consis consta contex contra conver copied counte counti decima deduce deduct
    defini depend deriva derive descri detail determ differ diffic digits divide dividi divisi double droppe
    earlie elimin enough enumer equali equati especi essent estima evalua exactl exampl except exclud exclus
    expand expans explai explic expres factor figure forget forgot formul fracti genera ignore ignori implie
    includ incomp incons indivi inequa infere inform instru intege interp introd invent irrele judgme justif
    langua logica mathem meanin measur mentio method misint misrea missed misses missin misund multip necess
    negati neglec object obtain omitte operat opposi orderi otherw overal overlo partic patter percen perfor
    phrase positi possib previo probab proced produc proper propor quanti quarte random ration readin realis
    realit realiz really referr relati releva remain rememb repeat repeti replac requir respec result retain
    revers rounde roundi scenar second separa sequen settin severa shared should simila simple simpli single
    situat skippe smalle solvin specif square starte starti strate subseq substi subtra suppos symbol system
    techni theore though togeth totals treate triple unders unknow unnece unneed unrela variab verify whethe
    wordin worked workin
"""))
"""The first six letters of more such words, in all their forms."""
