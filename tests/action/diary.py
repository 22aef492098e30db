"""The invented diaries of Ada, in English, and of Jonas, in German: a day a text."""

from __future__ import annotations

ADA_BEFORE = {
    "2026-02-02": "Long day at the office, the audit drags on. Ran five kilometres along the river in the "
    "evening.",
    "2026-02-04": "The audit again. Lunch with Priya, who thinks I should change teams. Tired.",
    "2026-02-07": "Ran eight kilometres. The river was high and brown. Read half of the Tove Jansson.",
    "2026-02-10": "Presented the audit. It went well enough. Priya sent cake.",
    "2026-02-14": "Quiet Saturday. Finished the Tove Jansson, which I loved. Phoned Mum, her knee is worse.",
    "2026-02-18": "The audit report came back with forty comments. I should sleep more.",
    "2026-02-22": "Ran with the club, ten kilometres in the rain. Happy and soaked.",
    "2026-02-26": "Handed in the audit report for good. I feel empty and relieved.",
}
ADA = {
    "2026-03-02": "Looked at the narrowboat with Tom. She is called Marlene and leaks a little at the "
    "stern gland. "
    "I want to buy her, and I am afraid of the money.\n\n- [ ] Ask the bank about the loan",
    "2026-03-03": "Could not sleep. I should call Mum about her knee, and I did not. What would it "
    "mean to live "
    "on the water?",
    "2026-03-05": "Tired all day. Tom says the survey of the boat costs six hundred pounds. It is worth it.",
    "2026-03-07": "The survey: the hull is sound, the engine needs new mounts. Laughed a lot with Tom "
    "about the galley, "
    "which is orange. A good day.",
    "2026-03-10": "Mum has her operation on the 24th. I must call her, and keep finding reasons to wait.",
    "2026-03-12": "Tired. The bank wants three more papers. Why do I always leave paperwork to the last "
    "evening?",
    "2026-03-14": "Worked on the boat budget. With the mooring it comes to nine thousand a year. I "
    "am not sure "
    "any more.",
    "2026-03-16": "Priya asked whether I am running away from something. I said no. I thought about it all "
    "evening.",
    "2026-03-19": "Finally called Mum. We talked for an hour about the hospital and about "
    "Grandfather's boat, "
    "which I had never heard of. Grateful.",
    "2026-03-21": "Tired, but content. Signed for the boat. Tom opened the bad wine we kept for it.",
    "2026-03-24": "Mum's operation went well. Sat in the hospital café for four hours and wrote a "
    "list for the "
    "boat.",
    "2026-03-28": "First night on Marlene. Cold, and the pump hums, and I loved every minute of it.",
}
JONAS_BEFORE = {
    "2026-02-05": "Viel Arbeit, wenig Schlaf. Abends im Chor, das Requiem klingt noch schief.",
    "2026-02-12": "Chorprobe. Die Tenöre sind endlich zu viert. Müde.",
    "2026-02-20": "Konzert mit dem Chor. Es war schön, und danach war mir leer zumute.",
}
JONAS = {
    "2026-03-03": "Der Garten ist vom Winter zerdrückt. Ich will dieses Jahr ein Hochbeet bauen. Müde, aber "
    "froh.",
    "2026-03-06": "Mit Lena über den Umzug gesprochen. Ich weiß nicht, ob ich nach Leipzig will. Was "
    "würde mir "
    "hier fehlen?",
    "2026-03-09": "Holz für das Hochbeet geholt. Der Garten riecht nach Erde. Ein schöner Nachmittag mit "
    "Lena.",
    "2026-03-13": "Lena hat die Zusage aus Leipzig. Ich freue mich für sie und bin traurig. Ich "
    "müsste mit ihr "
    "reden.",
    "2026-03-17": "Das Hochbeet steht. Müde Arme. Abends lange wach, der Umzug geht mir nicht aus dem Kopf.",
    "2026-03-22": "Ich müsste mit Lena über den Umzug reden und tue es nicht. Warum schweige ich?",
    "2026-03-27": "Geredet, endlich, bis zwei Uhr nachts. Sie fährt erst allein. Erleichtert und müde. "
    "Der Garten "
    "wartet.",
}
