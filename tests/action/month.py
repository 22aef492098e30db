"""A whole month of two invented diaries, English and German, as people keep them: headings, people, tags, tasks.

A day a text, with the month before it shorter, and a morning of four invented feeds.
"""

# ruff: noqa: E501 - a text a line
from __future__ import annotations

MIRA_BEFORE = {
    "2026-03-03": "Thesis chapter two is stuck. Rewrote the introduction for the fourth time.",
    "2026-03-06": "Supervision with Dr. Halloran. She wants the methods section by Friday. #thesis",
    "2026-03-10": "Thesis all day. Headache. Ordered pizza and ate it standing up.",
    "2026-03-14": "Saturday in the library. Thesis chapter two is finally shorter than it was.",
    "2026-03-19": "Sent the methods section. Halloran answered with one word: better.",
    "2026-03-25": "Cleaned the flat instead of writing. Guilty, and the windows shine.",
    "2026-03-29": "Submitted the thesis draft. Slept eleven hours.",
}
MIRA = {
    "2026-04-01": "## Morning\nFirst day at the bakery. Up at three, flour in my hair by four. "
    "Jonah showed me how to shape the sourdough.\n\n## Evening\nAsleep at eight. #bakery",
    "2026-04-02": "Sourdough again. Mine look like hats. Jonah laughed, kindly. Tired in a good way.",
    "2026-04-03": "My wrists hurt. Should I have told [[Elena]] that I took this job? She thinks I am job hunting.",
    "2026-04-04": "Day off. Walked to the reservoir with the dog. The cold cleared my head.",
    "2026-04-05": "Easter lunch at [[Elena]]'s. I wanted to tell her about the bakery and talked about the weather.",
    "2026-04-06": "Burned a whole tray of rye. Ms. Okafor said nothing, which was worse than shouting.",
    "2026-04-07": "Better day. The rye came out right, and a customer asked who made it. I was proud all morning.",
    "2026-04-08": "- [ ] Call the landlord about the boiler\n- Shift with Jonah, he is thinking of leaving\n"
    "- Tired",
    "2026-04-09": "No hot water for the third day. I need to call the landlord. Washed at the bakery.",
    "2026-04-10": "Halloran wrote: the examiners want a date for the defence. I did not answer.",
    "2026-04-11": "Reservoir with the dog, twelve kilometres. I was not tired at all. Why does the week feel so much "
    "longer than the weekend?",
    "2026-04-12": "Baked at home, for nobody. It was lovely to have no timer.",
    "2026-04-13": "Jonah gave notice. I am sad, and a little angry, and did not say either.",
    "2026-04-14": "I must call the landlord. The boiler man needs his permission. Cold shower, screamed.",
    "2026-04-15": "Ms. Okafor asked if I want Jonah's shifts. More money, and every Saturday. I said I would think.",
    "2026-04-16": "Tired. Couldn't think about anything. Watched three episodes of something with boats.",
    "2026-04-17": "Dinner with [[Elena]]. Told her about the bakery at last. She said: I know, you smell of bread. "
    "We laughed until the waiter looked over.",
    "2026-04-18": "Reservoir. The dog swam. Grateful for this place, and for legs.",
    "2026-04-19": "Looked at the thesis for the first time since March. It is better than I remembered.",
    "2026-04-20": "I should answer Halloran about the defence. Wrote the mail and did not send it.",
    "2026-04-21": 'Shaped two hundred loaves. Ms. Okafor called me "baker" in front of a supplier.',
    "2026-04-22": "Called the landlord. Two minutes! The boiler is repaired on Friday. Three weeks for two minutes.",
    "2026-04-23": "Jonah's last day. Cake, cards, flour fight. I will miss him more than I said.",
    "2026-04-24": "Hot water. I stood in it until it ran out. Happy.",
    "2026-04-25": "First Saturday shift. The queue went round the corner. No reservoir, the dog looked at me all evening.",
    "2026-04-26": "Tired, tired. What would I do if the bakery were not there to hide in?",
    "2026-04-27": "Sent Halloran the mail. Defence on 12 June. My hands shook and then they did not.",
    "2026-04-28": "> The work of the world is common as mud.\n\nRead the Piercy poem on the tram, twice.",
    "2026-04-29": "Asked Ms. Okafor for every second Saturday free. She said yes before I had finished.",
    "2026-04-30": "A month of bread. I do not know yet whether it is a detour or a road. Slept well.",
}
TILL_BEFORE = {
    "2026-03-02": "Den ganzen Tag Besprechungen. Das Projekt in Kassel verschiebt sich wieder.",
    "2026-03-09": "Kassel, Hotel, Regen. Abends mit Ayşe telefoniert.",
    "2026-03-15": "Sonntag ohne Plan. Zeitung, Sofa, Suppe.",
    "2026-03-20": "Abgabe des Gutachtens für Kassel. Die Kollegen haben geklatscht.",
    "2026-03-27": "Letzte Fahrt nach Kassel. Ich werde das Hotel nicht vermissen.",
}
TILL = {
    "2026-04-01": "## Arbeit\nElternzeit, erster Tag. Ida schläft auf meinem Bauch, und ich wage nicht, mich zu bewegen.",
    "2026-04-02": "Müde. Ida hat von zwei bis vier geschrien. Ayşe und ich wechseln uns ab.",
    "2026-04-03": "Karfreitag. Spaziergang mit dem Kinderwagen an der [[Fulda]]. Die ersten Schwalben.",
    "2026-04-04": "Ich sollte meinen Bruder anrufen. Er hat Ida noch nicht gesehen.",
    "2026-04-05": "Ostern bei Ayşes Eltern. Alle wollten Ida halten, keiner fragte, wie es uns geht. Ich war genervt.",
    "2026-04-06": "Geschlafen, fünf Stunden am Stück! Ayşe hat Ida genommen. Dankbar.",
    "2026-04-07": "Wäsche, Fläschchen, Wäsche. Bin ich eigentlich noch jemand anderes als Vater?",
    "2026-04-08": "- [ ] Elterngeld-Antrag fertig machen\n- Ida hat gelächelt, ich schwöre es",
    "2026-04-09": "Müde. Der Antrag liegt noch da. Ich muss den Antrag fertig machen.",
    "2026-04-10": "Die Gitarre aus dem Keller geholt, zwei Saiten fehlen. Ida hörte trotzdem zu.",
    "2026-04-11": "An der [[Fulda]] mit Ayşe. Wir haben zum ersten Mal seit Wochen über etwas anderes geredet.",
    "2026-04-12": "Ida trinkt schlecht. Die Hebamme sagt, das sei normal. Ich bin besorgt und lese zu viel im Netz.",
    "2026-04-13": "Beim Kinderarzt. Alles in Ordnung. Ich hätte vor Erleichterung fast geweint.",
    "2026-04-14": "Neue Saiten. Das Wiegenlied von Brahms kann ich noch, bis zur Hälfte.",
    "2026-04-15": "Ich muss endlich den Antrag fertig machen. Stattdessen das Regal sortiert.",
    "2026-04-16": "Der Chef schrieb, ob ich kurz auf eine Mail schauen könne. Ich habe kurz geschaut, drei Stunden lang. "
    "Warum kann ich nicht nein sagen?",
    "2026-04-17": "Ayşe war wütend wegen der drei Stunden. Sie hat recht.",
    "2026-04-18": "Gitarre im Park, Ida auf der Decke. Ein alter Mann blieb stehen und sang mit. Das war schön.",
    "2026-04-19": "Müde, aber zufrieden. Kuchen gebacken, er ist eingefallen, er schmeckt.",
    "2026-04-20": "Antrag abgeschickt. Zwanzig Minuten hat er gedauert.",
    "2026-04-21": "Ida dreht sich! Vom Bauch auf den Rücken, und war selbst am meisten überrascht.",
    "2026-04-22": "Dem Chef geschrieben, dass ich bis Oktober keine Mails lese. Ich war stolz und hatte Bauchweh.",
    "2026-04-23": "Ich sollte meinen Bruder anrufen. Seit dem Streit um das Haus sind es zwei Jahre.",
    "2026-04-24": "Regen. Gitarre. Ida schläft bei Moll schneller ein als bei Dur.",
    "2026-04-25": "An der [[Fulda]], allein, eine Stunde. Ich hatte vergessen, wie still das ist.",
    "2026-04-26": "Müde. Was würde ich meinem Bruder eigentlich sagen?",
    "2026-04-27": "Meinen Bruder angerufen. Er nahm nach dem ersten Klingeln ab. Wir haben beide geschwiegen und dann gelacht.",
    "2026-04-28": "Ayşe arbeitet wieder zwei Tage. Ida und ich haben Brei an die Decke bekommen.",
    "2026-04-29": "Mein Bruder kommt am Sonntag. Ich bin aufgeregt wie ein Kind.",
    "2026-04-30": "Ein Monat. Ich bin müde und würde nichts davon hergeben.",
}
# Feed, title, text, hours before the run.
MORNING = (
    (
        "World Wire",
        "Parliament passes river protection act",
        "Parliament voted 312 to 240 on Tuesday for an act that bans untreated sewage in rivers by 2030. Water companies must publish every spill within an hour. The opposition calls the deadline a fantasy.",
        9,
    ),
    (
        "Daily Ledger",
        "River act clears final vote",
        "The river protection act passed its final vote in parliament on Tuesday night. Water companies expect bills to rise by about forty pounds a year.",
        8,
    ),
    (
        "Green Notes",
        "What the new river law means for swimmers",
        "After the vote on the river protection act, swimmers can see every sewage spill within an hour. Campaigners had asked for this for nine years.",
        3,
    ),
    (
        "World Wire",
        "Earthquake of 6.1 shakes northern Chile",
        "An earthquake of magnitude 6.1 struck near Antofagasta early on Wednesday. No deaths were reported. Power was out in parts of the city.",
        2,
    ),
    (
        "Daily Ledger",
        "Chile quake cuts power in Antofagasta",
        "A strong quake left parts of Antofagasta in Chile without power on Wednesday. Mines nearby were evacuated as a precaution.",
        1,
    ),
    (
        "Daily Ledger",
        "Central bank holds rates at 3.5 per cent",
        "The central bank kept its main rate at 3.5 per cent for the fourth month. Two of nine members voted for a cut.",
        14,
    ),
    (
        "Daily Ledger",
        "Supermarket recalls spinach",
        "Bags of baby spinach with a date of 3 May are recalled after a laboratory found listeria.",
        20,
    ),
    (
        "Daily Ledger",
        "Train drivers call off strike",
        "Train drivers called off Friday's strike after talks went through the night. A vote on the offer follows in May.",
        5,
    ),
    (
        "Green Notes",
        "Beavers return to the Tamar",
        "A pair of beavers built the first dam on the Tamar in four centuries. The farmer next to it says his lower field has never been so wet, or so full of birds.",
        26,
    ),
    (
        "Kernel Post",
        "Small language models run on a watch",
        "Researchers squeezed a language model of 120 million weights into a watch. It answers in two seconds and drains the battery in ninety minutes.",
        7,
    ),
    (
        "Kernel Post",
        "Compression library fixes a flaw of eleven years",
        "Version 3.4 closes a buffer overflow that has been in the library since 2015. Users should update at once; no attack is known.",
        4,
    ),
    (
        "Kernel Post",
        "Compression library fixes a flaw of eleven years",
        "Version 3.4 closes a buffer overflow that has been in the library since 2015. Users should update at once; no attack is known.",
        4,
    ),
    (
        "World Wire",
        "Marathon record falls in Rotterdam",
        "Hana Tesfaye ran the Rotterdam marathon in 2:10:58, four seconds under the record. She had been injured all winter.",
        11,
    ),
    (
        "World Wire",
        "Parliament passes budget after long night",
        "Parliament passed the budget with a majority of four. Schools get two billion more.",
        10,
    ),
    (
        "Kernel Post",
        "Watch maker recalls chargers",
        "Chargers of the Lumen watch overheat. Owners get a new one by post.",
        12,
    ),
    (
        "Daily Ledger",
        "Rotterdam port workers strike on Friday",
        "Workers at the port of Rotterdam stop work on Friday over night shifts.",
        6,
    ),
)
