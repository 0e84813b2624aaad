"""Word lists, split into what training may use and what only the held-out set uses."""

from __future__ import annotations

import random


class Pool:
    """A list with every `every`-th entry set aside for the held-out split. An `open` pool stands for words of all kinds."""

    def __init__(self, items: list[str], every: int = 7, open: bool = False) -> None:
        self.open = open
        self.held = items[every - 1 :: every] if every else list(items)
        held = set(self.held) if every else set()
        self.train = [x for x in items if x not in held]

    def of(self, split: str) -> list[str]:
        """The entries of one split."""
        return self.held if split == "heldout" else self.train


def _pool(text: str, every: int = 7) -> Pool:
    return Pool(list(dict.fromkeys(w.strip() for w in text.replace("\n", " ").split(",") if w.strip())), every, bool(every))


def _words(text: str, every: int = 7) -> Pool:
    return Pool(list(dict.fromkeys(text.split())), every, bool(every))


FEMALE = _words("""Mara Anna Lena Ada Grace Maria Sofia Emma Olivia Ava Mia Chloe Zoe Nora Ella Lily Hannah Sarah Laura Julia
Clara Alice Eva Ida Elsa Ingrid Freya Astrid Greta Heidi Ines Carmen Lucia Elena Paula Marta Rosa Ana Isabel Teresa Beatriz
Fatima Layla Amira Yasmin Noor Zainab Aisha Priya Anjali Deepa Kavya Meera Lakshmi Yuki Sakura Hana Aiko Mei Lin Ling Xia
Jin Soo Minji Olga Irina Natasha Vera Katya Svetlana Daria Tanya Bianca Chiara Giulia Francesca Alessia Camille Manon Elise
Margot Colette Amelie Charlotte Emily Jessica Susan Linda Karen Nancy Betty Helen Sandra Donna Carol Ruth Sharon Michelle
Amanda Melissa Deborah Stephanie Rebecca Cynthia Kathleen Amy Angela Brenda Pamela Nicole Samantha Katherine Christine Debra
Rachel Carolyn Janet Catherine Heather Diane Joyce Victoria Kelly Joan Lauren Judith Megan Andrea Cheryl Jacqueline Martha
Gloria Ann Kathryn Jean Abigail Sara Judy Denise Amber Doris Marilyn Danielle Brittany Natalie Diana Rose Lisa Petra Sabine""")
MALE = _words("""Tomas Ben Jonas Peter Paul Mark Luke John Omar Ali Hassan Karim Yusuf Ibrahim Amir Rahul Arjun Vikram Ravi
Sanjay Kenji Hiro Takeshi Akira Wei Chen Feng Hugo Felix Oscar Leo Max Finn Noah Liam Lucas Mateo Diego Carlos Pedro Juan Luis
Miguel Pablo Javier Sergio Marco Luca Matteo Paolo Giorgio Pierre Louis Jules Antoine Marcel Henri Ivan Boris Dmitri Sergei
Nikolai Viktor Anton Erik Lars Sven Nils Olaf Magnus Gustav Axel Kofi Kwame Jabari Tariq Malik Idris Samuel David Daniel Adam
Simon Nathan Aaron Isaac Jacob Joseph James Robert Michael William Richard Thomas Charles Christopher Matthew Anthony Donald
Steven Andrew Joshua Kenneth Kevin Brian George Timothy Ronald Edward Jason Jeffrey Ryan Gary Nicholas Eric Jonathan Stephen
Larry Justin Scott Brandon Benjamin Gregory Frank Alexander Raymond Patrick Jack Dennis Jerry Tyler Jose Henry Douglas Walter
Arthur Alan Albert Bruno Otto Emil Karl Klaus Werner Dieter Stefan Sam Tom Tim Jim Bob Bill Joe Dan Theo Owen Dylan Ethan""")
SURNAMES = _words("""Lovelace Turing Smith Johnson Brown Miller Davis Garcia Wilson Moore Taylor Anderson Jackson White Harris
Clark Lewis Walker Hall Young King Wright Hill Scott Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips Campbell
Parker Evans Edwards Collins Stewart Morris Murphy Cook Rogers Morgan Cooper Peterson Reed Bailey Bell Gomez Kelly Howard Ward
Cox Diaz Richardson Wood Watson Brooks Bennett Gray Hughes Price Myers Long Foster Ross Novak Kowalski Ivanov Petrov Tanaka
Suzuki Sato Yamamoto Kim Park Lee Choi Wang Zhang Liu Singh Patel Sharma Gupta Khan Ahmed Hansen Olsen Berg Lund Larsen
Schmidt Weber Fischer Meyer Wagner Becker Hoffmann Rossi Ferrari Bianchi Romano Silva Santos Costa Pereira Moreau Laurent
Dubois Lefevre Fontaine Okafor Mensah Diallo Mbeki Okoye Hopper Curie Darwin Newton Kepler Noether Euler Gauss Hale Frost""")
PLACES = _words("""Lund Paris London Berlin Rome Madrid Vienna Prague Oslo Stockholm Helsinki Copenhagen Dublin Lisbon Athens
Warsaw Budapest Brussels Amsterdam Geneva Zurich Milan Venice Naples Turin Florence Munich Hamburg Cologne Leipzig Dresden
Bremen Lyon Nice Bordeaux Toulouse Porto Seville Valencia Bilbao Granada Krakow Gdansk Riga Tallinn Vilnius Sofia Bucharest
Belgrade Zagreb Split Istanbul Ankara Cairo Tunis Casablanca Lagos Accra Nairobi Kampala Dakar Durban Tokyo Kyoto Osaka Seoul
Busan Beijing Shanghai Hanoi Bangkok Manila Jakarta Delhi Mumbai Chennai Kolkata Lahore Karachi Dubai Doha Amman Beirut Boston
Chicago Dallas Denver Seattle Portland Austin Houston Phoenix Atlanta Miami Tampa Detroit Cleveland Toronto Montreal Vancouver
Ottawa Calgary Lima Quito Bogota Santiago Havana Panama Caracas Sydney Melbourne Perth Brisbane Auckland Wellington Bath York
Leeds Bristol Oxford Cambridge Brighton Glasgow Edinburgh Cardiff Belfast Cork Galway Bergen Malmo Uppsala Aarhus Odense
Reykjavik Salzburg Graz Linz Basel Bern Lausanne Ghent Bruges Antwerp Utrecht Delft Haarlem Marseille Rennes Nantes""")
COUNTRIES = _words("""France Spain Italy Germany Poland Norway Sweden Finland Denmark Iceland Ireland Portugal Greece Turkey
Egypt Morocco Kenya Ghana Nigeria Senegal Japan China India Vietnam Thailand Indonesia Nepal Brazil Chile Peru Argentina
Mexico Canada Cuba Colombia Ecuador Australia Austria Belgium Hungary Croatia Serbia Romania Bulgaria Estonia Latvia""")
JOBS = _pool("""baker, nurse, teacher, doctor, pilot, carpenter, plumber, electrician, gardener, painter, singer, writer, lawyer,
judge, farmer, fisherman, sailor, soldier, chef, cook, waiter, barber, tailor, butcher, dentist, surgeon, vet, chemist,
biologist, physicist, historian, librarian, translator, journalist, editor, photographer, architect, engineer, programmer,
designer, accountant, banker, cashier, clerk, driver, mechanic, miner, welder, builder, firefighter, detective, guard,
postman, coach, referee, dancer, actor, musician, composer, conductor, sculptor, potter, weaver, jeweler, florist, astronomer,
geologist, botanist, optician, pharmacist, paramedic, midwife, secretary, manager, consultant, analyst, economist, professor,
beekeeper, watchmaker, locksmith, glassblower, train driver, bus driver, tour guide, data scientist, web developer, road
worker, school principal, security guard, truck driver, flight attendant, mathematician, programmer, inventor""")
HOBBIES = _pool("""chess, painting, swimming, hiking, cycling, running, sailing, fishing, dancing, singing, knitting, sewing,
baking, gardening, reading, photography, pottery, yoga, climbing, skiing, surfing, rowing, boxing, fencing, archery, juggling,
birdwatching, stargazing, origami, woodworking, calligraphy, drawing, karate, judo, tennis, golf, badminton, volleyball,
basketball, football, table tennis, ice skating, horse riding, stamp collecting, bread making, beer brewing, board games,
crossword puzzles, model trains, card games""")
INSTRUMENTS = _words("""piano violin guitar cello flute drums trumpet harp clarinet oboe saxophone banjo accordion organ
trombone tuba viola bassoon mandolin ukulele harmonica xylophone bagpipes lute""")
PETS = _words("""dog cat parrot rabbit hamster turtle goldfish horse snake lizard canary ferret mouse goat pig duck donkey
hedgehog gecko pony budgie kitten puppy tortoise""")
COLORS = _words("""red blue green yellow black white purple orange brown pink gray silver golden turquoise crimson beige violet
navy teal maroon ivory amber""")
FOODS = _pool("""pizza, pasta, sushi, rice, bread, cheese, soup, salad, curry, tacos, noodles, dumplings, pancakes, waffles, fish,
chicken, lentils, beans, potatoes, mushrooms, apples, pears, plums, cherries, oranges, bananas, grapes, melons, figs, dates,
olives, tomatoes, carrots, onions, spinach, eggs, butter, honey, chocolate, ice cream, apple pie, fried rice, lemon cake,
roast beef, fish soup, goat cheese, garlic bread, rice pudding, tomato soup, cinnamon rolls, strawberries, blueberries""")
DRINKS = _pool("""coffee, tea, milk, water, lemonade, orange juice, apple juice, green tea, hot chocolate, mineral water, black
coffee, mint tea, cider, ginger ale, tomato juice, iced tea""")
OBJECTS = _pool("""lamp, chair, table, bicycle, car, phone, laptop, camera, watch, ring, book, umbrella, hat, coat, scarf, shoe,
boot, bag, suitcase, key, wallet, letter, map, clock, mirror, vase, plate, cup, bottle, spoon, knife, pan, kettle, candle,
blanket, pillow, rug, carpet, curtain, painting, statue, coin, stamp, ticket, notebook, pencil, pen, brush, hammer, saw, drill,
ladder, rope, bucket, shovel, tent, lantern, compass, telescope, microscope, radio, speaker, headset, keyboard, monitor,
printer, tablet, charger, cable, battery, basket, box, crate, barrel, drum, kite, ball, doll, puzzle, helmet, glove, jacket,
sweater, shirt, belt, necklace, bracelet, backpack, toaster, blender, heater, fan, sofa, desk, shelf, wardrobe, mattress""")
ANIMALS = _words("""fox wolf bear deer rabbit squirrel owl eagle hawk crow swan goose otter beaver badger hedgehog lynx moose
bison goat sheep cow bull horse donkey camel lion tiger leopard elephant giraffe zebra monkey gorilla dolphin whale seal
penguin turtle frog toad lizard snake spider bee ant butterfly mouse rat cat dog pigeon sparrow stork heron""")
SPOTS = _pool("""garden, kitchen, library, harbor, station, market, museum, park, forest, river, lake, beach, bridge, tower,
castle, church, school, hospital, factory, office, warehouse, garage, cellar, attic, barn, field, meadow, valley, hill,
mountain, cave, tunnel, square, street, alley, hotel, restaurant, bakery, theater, cinema, stadium, gym, pool, airport, port,
farm, mill, mine, workshop, laboratory, studio, gallery, courtyard, balcony, rooftop, hallway, basement, canteen, post office,
town hall, fire station, train station, bus stop, art school, city park, old mill, botanical garden""")
WORKPLACES = _pool("""hospital, library, harbor, museum, bakery, bank, school, university, airport, factory, hotel, restaurant,
theater, police station, post office, town hall, pharmacy, law firm, zoo, garage, laboratory, newspaper, radio station,
shipyard, brewery, bookshop, flower shop, train station, power plant, steel mill, software company, travel agency""")
LANGUAGES = _words("""French Spanish Italian German Polish Norwegian Swedish Finnish Danish Icelandic Irish Portuguese Greek
Turkish Arabic Swahili Japanese Chinese Hindi Vietnamese Thai Korean Russian Dutch Hungarian Czech Latin Hebrew""")
MATERIALS = _words("""wood steel glass leather cotton wool silk plastic copper iron brass marble granite clay paper rubber
bamboo aluminum ceramic titanium linen velvet""")
SUBJECTS = _words("""mathematics history physics chemistry biology geography music art philosophy economics law medicine
literature astronomy geology botany linguistics psychology sociology engineering""")
ADJS = _words("""old new small big heavy light broken shiny dusty wooden rusty tiny huge empty full warm cold wet dry clean dirty
soft hard round square tall short long narrow wide bright dark quiet loud fast slow gentle young brave clever tired hungry""")
DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday", 0)
MONTHS = _words("January February March April May June July August September October November December", 0)
COMPANY_TAILS = ["Ltd", "Labs", "Foods", "Motors", "Systems", "Airlines", "Press", "Bank", "Energy", "Media", "Group", "Works"]
FILLERS = Pool([
    "The weather was mild that week.", "It was a quiet morning.", "Nobody noticed the noise outside.", "The meeting lasted an hour.",
    "Everyone was in a good mood.", "The room was almost empty.", "A letter lay on the table.", "The clock had stopped again.",
    "It had rained all night.", "The neighbors were away.", "Dinner was served late.", "The report was short.",
    "There was little traffic.", "The news spread fast.", "Music came from next door.", "The old sign was gone.",
    "All of this is well known.", "The details were never published.", "Many visitors came in spring.", "The windows were open.",
    "No one asked why.", "The plan changed twice.", "The photos are in the archive.", "Tickets were sold out.",
    "The lights stayed on.", "Snow fell in the evening.", "The doors open early.", "The list is not complete.",
], 7)
ONES = "zero one two three four five six seven eight nine ten eleven twelve".split()
ONSETS = "b br c ch d dr f fr g gr h j k kl kr l m n p pr qu r s sh sk st t th tr v w z".split()
VOWELS = "a e i o u ai ea ia io ou".split()
CODAS = ["", "", "", "n", "r", "l", "s", "k", "m", "x", "rd", "nd", "th", "ck"]


LETTERS = "eeeeeeaaaaaiiiiooooouuunnnnrrrrssssttttllllddddhhhmmmcccgggppbbkkffvvwwyyzjxq"


def _spliced(rng: random.Random) -> str:
    """The head of one known word and the tail of another: such words fall into pieces of all kinds."""
    a, b = (rng.choice(rng.choice(SPLICE).train).split()[0].lower() for _ in range(2))
    return a[: rng.randint(1, max(1, len(a) - 1))] + b[rng.randint(0, max(0, len(b) - 2)) :]


def invented(rng: random.Random, parts: int = 0, capital: bool = True) -> str:
    """A word that no list holds: open-vocabulary copying must work too."""
    r = rng.random()
    if r < 0.45:
        word = "".join(
            rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(parts or rng.choice((1, 2, 2, 2, 3)))
        )
    elif r < 0.8:
        word = _spliced(rng)
    else:
        word = "".join(rng.choice(LETTERS) for _ in range(rng.randint(3, 8)))
    return word.capitalize() if capital else word


SPLICE = [FEMALE, MALE, SURNAMES, PLACES, COUNTRIES, JOBS, HOBBIES, FOODS, OBJECTS, ANIMALS, COLORS, LANGUAGES, INSTRUMENTS, MATERIALS, SUBJECTS]
