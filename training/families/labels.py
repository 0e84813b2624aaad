"""Concepts for classification: cue words, the frames that carry them, and the names that labels go by."""

from __future__ import annotations

from dataclasses import dataclass, field


def _l(text: str) -> list[str]:
    return [x.strip() for x in text.replace("\n", " ").split(",") if x.strip()]


@dataclass
class Concept:
    """One class: what its label may be called and the cues that tell it."""

    names: list[str]
    cues: list[str]


@dataclass
class Axis:
    """A set of classes, the frames for their cues, and how the task is described."""

    concepts: list[Concept]
    frames: list[str]
    fields: list[str]
    descs: list[str]
    instructions: list[str]
    whole: bool = False
    own_frames: dict[int, list[str]] = field(default_factory=dict)


GOOD = _l("""great, excellent, wonderful, fantastic, amazing, superb, brilliant, perfect, lovely, delightful, outstanding, impressive,
awesome, terrific, pleasant, beautiful, charming, flawless, marvelous, fabulous, very good, really good, top notch, first class,
a joy, a pleasure, well made, well done, worth every cent, better than expected, good, nice, fun, reliable, comfortable, helpful,
friendly, easy to use, a bargain, my favorite, enjoyable, splendid, exceptional, incredible, fresh and tasty, recommended""")
BAD = _l("""terrible, awful, horrible, bad, poor, disappointing, dreadful, useless, broken, boring, rude, slow and clumsy, a waste of money,
a waste of time, a disaster, a letdown, annoying, ugly, cheap junk, unacceptable, very bad, really bad, worse than expected, faulty,
unreliable, uncomfortable, overpriced, disgusting, a mess, a joke, pathetic, lousy, defective, noisy and dirty, frustrating, stupid,
not worth it, hard to use, unusable, mediocre, badly made, the worst, painful, dull, garbage, trash""")
FLAT = _l("""ordinary, average, as described, what it says, okay, standard, neither good nor bad, the usual size, made in two parts, about the same
as before, black and square, on the second floor, sold in packs of two, next to the station, the same model as last year, fine I guess,
so so, as expected, typical, acceptable""")
SENTIMENT = Axis(
    [Concept(_l("positive, pos, good, happy, praise, satisfied, thumbs_up, favorable, like"), GOOD),
     Concept(_l("negative, neg, bad, unhappy, complaint, dissatisfied, thumbs_down, unfavorable, dislike"), BAD),
     Concept(_l("neutral, mixed, neither, okay, indifferent, objective, none"), FLAT)],
    ["The {n} was {c}.", "This {n} is {c}.", "I think the {n} is {c}.", "My {n} turned out to be {c}.", "The {n} here is {c}.", "What a {n}: {c}!",
     "We found the {n} {c}.", "Honestly, the {n} is {c}.", "The {n} I bought is {c}.", "In my opinion the {n} was {c}.", "The {n} looks {c}.",
     "The new {n} is simply {c}.", "Their {n} is {c}.", "I tried the {n} and it was {c}.", "To be honest, this {n} was {c}.", "It is {c}.",
     "{c}!", "The {n} and the {m} are {c}.", "After a week the {n} is still {c}.", "For me this {n} is {c}."],
    _l("sentiment, label, mood, polarity, tone, verdict, rating, opinion, attitude, feeling, class, sentiment_label, review_sentiment"),
    ["How the writer feels.", "The overall sentiment.", "The tone of the text.", "Sentiment of the review.", "Positive or not."],
    ["Classify the sentiment of the text.", "Is the review positive or negative?", "Tell how the writer feels.", "Label the sentiment.", "Determine the tone.",
     "Judge the opinion that the text expresses.", "Sentiment analysis.", "Decide whether the writer liked it.", "Find the polarity of the review.", "Label the tone."])
URGENCY = Axis(
    [Concept(_l("low, minor, whenever, p4, can-wait, not urgent, trivial, relaxed"),
             _l("""no rush, whenever you have time, it can wait, not urgent at all, take your time, some day would be fine, just a small thing,
             nothing pressing, no hurry, a cosmetic detail, low priority, next month is fine, just an idea, only a minor annoyance, at your convenience""")),
     Concept(_l("medium, normal, moderate, p3, standard, regular, mid"),
             _l("""please fix it this week, in the next few days please, by the end of the week, it slows us down a bit, some users are affected,
             it would help to have it soon, we can work around it for now, within a few days, it happens now and then, there is a workaround""")),
     Concept(_l("high, urgent, major, p2, important, soon, pressing"),
             _l("""please fix it today, we need it today, this is urgent, many customers are affected, we need help as soon as possible, high priority,
             it blocks our work, the deadline is tomorrow, please hurry, we can't work like this, the whole team is waiting, needed by tonight""")),
     Concept(_l("critical, on-fire, emergency, p1, blocker, severe, immediate, catastrophic"),
             _l("""everything is down, nothing works at all, we are losing money every minute, this is an emergency, the whole site is offline, all data is gone,
             it is on fire, production is down, total outage, nobody can log in, act immediately, we have been hacked, the server room is burning,
             all customers are locked out, complete failure"""))],
    ["The {n} is broken, {c}.", "There is a problem with the {n}: {c}.", "{c}: the {n} has stopped.", "My {n} fails. {c}.", "About the {n}: {c}.",
     "Hello, the {n} does not work. {c}.", "The {n} needs attention, {c}.", "{c}, the {n} is acting up.", "Could you look at the {n}? {c}.", "We have an issue with the {n}, {c}.",
     "The {n} shows an error. {c}.", "Our {n} crashed and {c}.", "{c}! Please check the {n}.", "I have a question about the {n}. {c}.", "Please look at the {n}. {c}."],
    _l("urgency, priority, severity, level, importance, urgency_level, how_urgent, impact, criticality"),
    ["How urgent it is.", "Priority of the ticket.", "How fast we must act.", "The urgency.", "Severity."],
    ["Classify the urgency of the ticket.", "Triage the support ticket.", "How urgent is it?", "Set the priority.", "Judge how urgent the message is.", "Assign a priority to the request.",
     "Sort tickets by urgency.", "Decide how fast we must react.", "Rate the severity of the issue.", "Judge the urgency of the ticket."], whole=True)
INTENT = Axis(
    [Concept(_l("refund, refund_request, money_back, get_refund, RefundRequest"), _l("get my money back, get a refund, be refunded, return this and get paid back, have my payment returned")),
     Concept(_l("cancel, cancellation, cancel_order, stop_service, CancelOrder"), _l("cancel my order, cancel my subscription, stop my plan, end my contract, cancel the booking, close my account")),
     Concept(_l("order_status, tracking, track_order, where_is_it, delivery_status"), _l("track my order, know where my package is, see when my parcel arrives, check the delivery status, find out where my order is, follow my shipment")),
     Concept(_l("change_address, update_address, address, new_address"), _l("change my address, update my address, ship to another address, correct my street name, give you my new address, send it to a different address")),
     Concept(_l("login, login_problem, account_access, password_reset, cannot_login"), _l("reset my password, log in to my account, unlock my account, recover my password, sign in again, get back into my account")),
     Concept(_l("book_restaurant, reserve_table, restaurant, BookTable, table_booking"), _l("book a table for two, reserve a table, make a reservation at a restaurant, get a table for tonight, book a restaurant, reserve seats for dinner")),
     Concept(_l("play_music, music, start_music, PlayMusic, play_song"), _l("play some music, play a song, hear some jazz, listen to my favorite album, play the newest album, start some rock music, play a track")),
     Concept(_l("weather, get_weather, forecast, weather_query, GetWeather"), _l("know the weather, see the forecast, know if it will rain, check the weather for tomorrow, hear the weather report, know how cold it will be")),
     Concept(_l("set_alarm, alarm, wake_me, SetAlarm, wake_up"), _l("set an alarm, be woken at six, set an alarm for seven, wake up early, have an alarm tomorrow, get a wake up call")),
     Concept(_l("lights, light_control, smart_home, lights_on, SwitchLights"), _l("turn on the lights, switch off the lamp, dim the lights, turn the lights off, make the room brighter, switch the light on")),
     Concept(_l("add_to_playlist, playlist, playlist_add, AddToPlaylist"), _l("add this song to my playlist, put the track on my playlist, add an album to my playlist, save the tune to my playlist, extend my playlist")),
     Concept(_l("search_movie, movies, movie_times, find_film, screening"), _l("find movie times, see the film schedule, know when the movie starts, see what is playing at the cinema, find a movie nearby, look up the movie times")),
     Concept(_l("rate_book, rating, give_rating, RateBook, book_rating"), _l("rate this book, give the novel four stars, rate the book five points, give this book a rating, score the novel")),
     Concept(_l("navigation, directions, route, get_directions, navigate"), _l("find the way to the station, get directions, find a route home, navigate to the airport, know the fastest route, drive to the museum")),
     Concept(_l("transfer_money, transfer, payment, send_money, make_payment"), _l("send money to a friend, transfer some money, make a payment, pay my bill, wire money, move money to my savings")),
     Concept(_l("talk_to_human, agent, human, operator, speak_to_agent"), _l("talk to a human, speak to an agent, talk to a real person, be connected to an operator, speak with someone, reach a person"))],
    ["I want to {c}.", "I would like to {c}.", "Can you help me {c}?", "How can I {c}?", "Please help me {c}.", "I need to {c}.", "Could I {c}?", "Is it possible to {c}?", "Hi, can I {c}?",
     "I'd love to {c}.", "Please let me {c}.", "My goal is to {c}.", "I am trying to {c}.", "Help me {c} please.", "I really need to {c}.", "{c}", "Hello, {c} please.", "{c} now.", "What must I do to {c}?", "Can I {c}?"],
    _l("intent, label, intention, category, request_type, action, purpose, goal, class, user_intent, topic, type"),
    ["What the user wants.", "The user's intent.", "Purpose of the message.", "What to do.", "Which request it is."],
    ["Classify the intent of the message.", "What does the user want?", "Detect the user's intent.", "Route the request.", "Label the request.", "Find the intent.", "Choose what the user asks for.",
     "Understand the request.", "Sort messages by intent.", "Detect the intent."])
TOPIC = Axis(
    [Concept(_l("sports, sport, athletics, SPORT"), _l("match, goal, team, league, coach, striker, tournament, championship, race, stadium, referee, medal, football, tennis, player, season")),
     Concept(_l("politics, government, political, policy"), _l("election, parliament, minister, president, vote, senate, law, campaign, party leader, mayor, treaty, reform, coalition, ballot")),
     Concept(_l("technology, tech, computing, it, gadgets"), _l("software, chip, smartphone, computer, startup, robot, app, processor, internet, data center, algorithm, browser, laptop, network, code")),
     Concept(_l("health, medicine, medical, wellness"), _l("hospital, vaccine, disease, patient, doctor, virus, surgery, therapy, diet, clinic, medicine, symptom, blood pressure, nurse")),
     Concept(_l("business, finance, economy, money, markets"), _l("stock, bank, profit, market, investor, inflation, merger, tax, revenue, loan, shareholder, budget, interest rate, price")),
     Concept(_l("science, research, nature, discovery"), _l("telescope, planet, experiment, physicist, fossil, molecule, galaxy, laboratory, species, theory, particle, climate, asteroid, genome")),
     Concept(_l("travel, tourism, holidays, trips"), _l("flight, hotel, beach, passport, tourist, cruise, airport, luggage, island, guidebook, resort, train ride, sightseeing, visa")),
     Concept(_l("food, cooking, cuisine, recipes"), _l("recipe, chef, oven, soup, restaurant, spice, dessert, cheese, wine, kitchen, bread, menu, flavor, sauce")),
     Concept(_l("entertainment, culture, arts, movies, music"), _l("film, actor, concert, album, singer, theater, novel, festival, band, painting, orchestra, series, director, gallery"))],
    ["The article is about a {c} and the {d}.", "A {c} made headlines after the {d} changed.", "Readers wanted to know more about the {c}.", "The {c} was discussed, and so was the {d}.", "News about the {c} came out today.",
     "Yesterday the {c} surprised everyone.", "Experts talk about the {c} and the {d}.", "How the {c} influences the {d}.", "The {c} has changed a lot this year.", "A story of a {c} and a {d}.",
     "The {d} depends on the {c}.", "Our reporter looked at the {c}.", "Everything about the {c} and its {d}.", "The {c} and the {d} were in focus this week.", "There is news about the {c} and the {d}."],
    _l("topic, category, label, subject, section, theme, area, class, field, domain"),
    ["The topic.", "What the text is about.", "News section.", "Subject area.", "Category of the article."],
    ["Classify the topic of the text.", "What is the text about?", "Sort the article into a section.", "Choose the topic.", "Label the article.", "Assign a category.", "Find the subject area.", "Pick the right section.",
     "Tell the topic of the article.", "Pick the topic."])
EMOTION = Axis(
    [Concept(_l("joy, happiness, happy, joyful"), _l("happy, glad, delighted, thrilled, cheerful, overjoyed, so pleased, full of joy, excited")),
     Concept(_l("anger, angry, rage, mad"), _l("angry, furious, mad, outraged, annoyed, enraged, irritated, full of rage")),
     Concept(_l("sadness, sad, grief, unhappy"), _l("sad, heartbroken, miserable, gloomy, in tears, depressed, lonely, full of sorrow")),
     Concept(_l("fear, afraid, scared, anxiety"), _l("afraid, scared, terrified, frightened, worried, nervous, anxious, full of fear")),
     Concept(_l("surprise, surprised, amazement, astonished"), _l("surprised, astonished, amazed, stunned, speechless, taken aback, shocked, startled"))],
    ["I am {c}.", "I feel {c} today.", "She was {c} when she heard it.", "We were all {c}.", "He seems {c}.", "They left the room {c}.", "The news made me {c}.", "My brother is {c} about it.", "After the call I was {c}.",
     "You look {c}.", "Everybody was {c}.", "I was {c} all day.", "That makes us {c}.", "The letter left him {c}.", "I was so {c} about the news."],
    _l("emotion, feeling, mood, label, state, emotion_label, affect"), ["The main emotion.", "How the writer feels.", "Emotion."],
    ["Classify the emotion.", "Which emotion does the text show?", "Detect the feeling.", "Name the emotion.", "Label the mood of the writer.", "Which feeling is it?", "Emotion detection.", "Label the emotion."])
LANGUAGE = Axis(
    [Concept(_l("English, en, english, EN"), _l("the house is very old, we are going to the market, I have no time today, she likes the sea, where is the station, this book is good, my brother works here")),
     Concept(_l("French, fr, french, FR"), _l("la maison est très vieille, nous allons au marché, je n'ai pas le temps, elle aime la mer, où est la gare, ce livre est bon, mon frère travaille ici")),
     Concept(_l("German, de, german, DE"), _l("das Haus ist sehr alt, wir gehen zum Markt, ich habe heute keine Zeit, sie mag das Meer, wo ist der Bahnhof, dieses Buch ist gut, mein Bruder arbeitet hier")),
     Concept(_l("Spanish, es, spanish, ES"), _l("la casa es muy vieja, vamos al mercado, hoy no tengo tiempo, le gusta el mar, dónde está la estación, este libro es bueno, mi hermano trabaja aquí")),
     Concept(_l("Italian, it, italian, IT"), _l("la casa è molto vecchia, andiamo al mercato, oggi non ho tempo, le piace il mare, dov'è la stazione, questo libro è buono, mio fratello lavora qui")),
     Concept(_l("Dutch, nl, dutch, NL"), _l("het huis is heel oud, we gaan naar de markt, ik heb vandaag geen tijd, zij houdt van de zee, waar is het station, dit boek is goed, mijn broer werkt hier")),
     Concept(_l("Swedish, sv, swedish, SV"), _l("huset är mycket gammalt, vi går till marknaden, jag har inte tid idag, hon gillar havet, var är stationen, den här boken är bra, min bror arbetar här"))],
    ["{c}", "{c}.", "{c}!", "- {c}", "{c} ..."], _l("language, lang, code, label, language_code, detected"), ["The language.", "Language of the text.", "Which language it is."],
    ["Detect the language.", "Which language is the text in?", "Identify the language.", "Language identification.", "Name the language of the text."])
SPAM = Axis(
    [Concept(_l("spam, junk, unwanted, scam"), _l("win a free prize, claim your reward now, cheap pills online, you have won the lottery, click this link to get rich, earn cash from home fast, limited offer just for you, double your money today, congratulations you were selected, get a free phone now")),
     Concept(_l("ham, legit, normal, not_spam, ok"), _l("the meeting is at ten, see you at lunch, I sent you the report, can we talk tomorrow, thanks for your help, the train is late, please review the document, mom called this morning, dinner at our place on Friday, your package is at the desk"))],
    ["{c}", "{c}.", "Hello, {c}.", "{c}!", "Hi, {c}.", "Dear friend, {c}.", "{c}, ok?", "Message: {c}.", "Hey, {c}!", "Good morning, {c}."],
    _l("label, kind, category, verdict, spam_label, filter, class"), ["Spam or not.", "Kind of mail."], ["Is the message spam?", "Filter the mail.", "Detect spam.", "Spam filter.", "Decide whether the message is spam."])
DEPARTMENT = Axis(
    [Concept(_l("billing, payments, invoices, accounting"), _l("my invoice, a wrong charge on my card, the payment page, a double charge, my bill, the receipt, the credit card charge")),
     Concept(_l("technical, tech_support, it, engineering, support"), _l("a crash of the app, an error message, a bug in the software, the login screen, a broken update, a blue screen, slow internet")),
     Concept(_l("shipping, delivery, logistics, transport"), _l("my late parcel, the delivery date, a lost package, the courier, the tracking number, a damaged box, the shipping costs")),
     Concept(_l("sales, new_business, orders, offers"), _l("a quote for fifty units, the price of a new plan, a discount for students, an offer for our team, a demo of the product, buying more seats")),
     Concept(_l("hr, human_resources, people, personnel, jobs"), _l("my vacation days, a job application, my salary, sick leave, the interview, parental leave, my work contract"))],
    ["I am writing about {c}.", "I have a question about {c}.", "There is a problem with {c}.", "Who can help me with {c}?", "It concerns {c}.", "Could you check {c}?", "Please help me with {c}.", "Hello, this is about {c}.",
     "We need to talk about {c}.", "I would like to ask about {c}."],
    _l("department, team, queue, route, category, destination, label, desk, owner_team"), ["Who should handle it.", "The right team.", "Department."],
    ["Route the message to a department.", "Which team should handle it?", "Assign the ticket to a queue.", "Choose the department.", "Which department is it for?"])
KIND = Axis(
    [Concept(_l("question, ask, query, interrogative"), _l("where is the {n}?, who took the {n}?, when does the {n} arrive?, why is the {n} so {a}?, how old is the {n}?, is the {n} {a}?")),
     Concept(_l("statement, fact, declarative, claim"), _l("the {n} is {a}., we saw the {n} yesterday., a {n} costs a lot., the {n} belongs to my aunt., there was a {n} on the road., they sold the {n}.")),
     Concept(_l("command, order, imperative, instruction"), _l("bring the {n} here!, open the {n} now!, put down the {n}!, give me the {n}!, clean the {n} at once!, do not touch the {n}!"))],
    ["{c}", "{c}", "Well, {c}", "Listen: {c}", "So, {c}"], _l("kind, type, label, form, sentence_type, class"), ["Kind of sentence.", "Form of the sentence."],
    ["What kind of sentence is it?", "Classify the sentence.", "Question, statement or command?", "Determine the sentence type.", "Tell the kind of sentence."])

AXES = [SENTIMENT, SENTIMENT, URGENCY, INTENT, INTENT, TOPIC, TOPIC, EMOTION, LANGUAGE, SPAM, DEPARTMENT, KIND]

# (axis, index of the class that counts as true, field names, descriptions)
BINARY = [
    (SENTIMENT, 0, _l("is_positive, positive, liked_it, happy_customer, satisfied, recommends"), ["Whether the writer liked it.", "True for a positive review."]),
    (SENTIMENT, 1, _l("is_negative, negative, complaint, is_complaint, unhappy"), ["Whether the writer complains.", "True for a negative review."]),
    (SPAM, 0, _l("is_spam, spam, junk, block"), ["Whether it is spam.", "True for spam."]),
    (KIND, 0, _l("is_question, question_asked, asks"), ["Whether it is a question.", "True for a question."]),
    (URGENCY, 3, _l("is_emergency, emergency, wake_up_oncall, critical"), ["Whether it is an emergency.", "True when everything is down."]),
]
NOUNS = _l("""phone, hotel, movie, book, restaurant, service, meal, camera, laptop, room, staff, game, song, coffee, printer, delivery, app, website, shoes,
chair, trip, concert, museum, soup, pizza, keyboard, headset, tablet, jacket, haircut, course, lesson, battery, screen, player, charger, sofa, lamp,
breakfast, bed, view, plot, acting, sound, software, support, food, product, show, album, dress, bike, car, kettle, blender, garden, pool""")
ISSUES = _l("""printer, login, payment, website, server, database, email, network, scanner, phone line, checkout, dashboard, password reset,
invoice, report, backup, search, calendar, door lock, heating, elevator, projector, router, laptop, monitor, keyboard, update, upload,
export, firewall, license, shopping cart, homepage, contact, VPN, camera, microphone, cash register, billing, shipping, refund, signup,
account, newsletter, chat, video, map, profile, order, booking, catalog, price, coupon, survey, salary, menu, badge, parking""")
# A tag is the issue alone; the text may name the part that it concerns.
PARTS = ["page", "server", "template", "form", "app", "service", "button", "system", "screen", "tool"]
