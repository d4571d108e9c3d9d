/** A text as people write it in a language, and how they may search for its words. */
export interface Language {
  name: string;
  text: string;
  /** Words and phrases of the text, written in another way. */
  typed?: string[];
  /** Words that look like words of the text and do not occur in it. */
  absent?: string[];
  /** Every part of the text is searched for, since the script has no spaces between words. */
  unspaced?: true;
}

export const latin: Language[] = [
  {
    name: "English",
    text: "The naïve engineer's re-entry was rescheduled. Please don't forget the café receipts from Tuesday!",
    typed: ["naive", "ENGINEER’S", "cafe", "don’t"],
    absent: ["sched", "receipt", "forgets"],
  },
  {
    name: "German",
    text: "Übermäßig viele Gäste kamen in die Hauptstraße 5. Die Fußgängerzone bleibt bis Oktober gesperrt.",
    typed: ["ÜBERMÄSSIG", "gaste", "hauptstrasse", "FUSSGÄNGERZONE", "FUẞGÄNGERZONE", "Ok\u00adto\u00adber"],
    absent: ["strasse", "gast", "fuss"],
  },
  {
    name: "French",
    text: "L’été dernier, nous avons mangé un œuf à la coque près de l'hôtel. Ça coûte très cher à Noël.",
    typed: ["ete", "l'été", "oeuf", "hotel", "CA", "Noe\u0308l"],
    absent: ["œuvre", "mange la"],
  },
  {
    name: "Spanish",
    text: "El año pasado la niña llevó un pingüino al jardín. ¿Dónde está la 1.ª reunión de mañana?",
    typed: ["ano", "nina", "pinguino", "DÓNDE", "manana"],
    absent: ["anos", "jardines"],
  },
  {
    name: "Portuguese",
    text: "As informações sobre a viagem à Conceição estão aí. O avô e a avó não virão amanhã.",
    typed: ["informacoes", "CONCEIÇÃO", "nao", "amanha"],
    absent: ["informação"],
  },
  {
    name: "Italian",
    text: "Perché l'università è chiusa? La città resterà così finché non arriva l’estate.",
    typed: ["perche", "universita", "l’università", "citta"],
    absent: ["cita"],
  },
  {
    name: "Dutch",
    text: "De coördinator vroeg één ĳsje bij de zeeën. Wij blĳven vandaag thuis met 's avonds een film.",
    typed: ["coordinator", "een", "ijsje", "zeeen", "blijven"],
    absent: ["blijv"],
  },
  {
    name: "Danish",
    text: "Vi spiser rødgrød med fløde på åen i Ærø. Købmanden lukker tidligt søndag.",
    typed: ["rodgrod", "flode", "aen", "aero", "KØBMANDEN"],
    absent: ["kobmand"],
  },
  {
    name: "Norwegian",
    text: "Østlandet får snø i kveld, men veien til Ålesund er åpen. Ta på deg gode støvler.",
    typed: ["ostlandet", "sno", "alesund", "ÅPEN"],
    absent: ["snor"],
  },
  {
    name: "Swedish",
    text: "Räksmörgåsar serveras på skärgårdsön varje lördag. Är tåget från Malmö försenat igen?",
    typed: ["raksmorgasar", "skargardson", "Malmo", "FÖRSENAT"],
    absent: ["smorgas"],
  },
  {
    name: "Finnish",
    text: "Hääyöaie siirtyi ensi viikolle. Lähetä kutsut sähköpostitse Jyväskylään ennen perjantaita.",
    typed: ["haayoaie", "sahkopostitse", "jyvaskylaan"],
    absent: ["jyvaskyla"],
  },
  {
    name: "Icelandic",
    text: "Þórður sagði að veðrið yrði gott í Reykjavík. Ævintýrið byrjar á föstudaginn.",
    typed: ["thordur", "vedrid", "reykjavik", "aevintyrid"],
    absent: ["thor"],
  },
  {
    name: "Polish",
    text: "Zażółć gęślą jaźń w Łodzi. Mały żółw wysłał pożegnalną wiadomość do Gdańska.",
    typed: ["zazolc", "gesla", "lodzi", "ŻÓŁW", "wyslal"],
    absent: ["lodz", "zolty"],
  },
  {
    name: "Czech",
    text: "Příliš žluťoučký kůň úpěl ďábelské ódy. Schůzka v úterý začíná až v poledne.",
    typed: ["prilis", "zlutoucky", "kun", "DABELSKE"],
    absent: ["zlutou"],
  },
  {
    name: "Slovak",
    text: "Kŕdeľ šťastných ďatľov učí pri ústí Váhu mĺkveho koňa. Zajtra pošlem faktúru.",
    typed: ["krdel", "stastnych", "mlkveho", "fakturu"],
    absent: ["faktura"],
  },
  {
    name: "Hungarian",
    text: "Árvíztűrő tükörfúrógép érkezett a győri raktárba. Kérjük, írják alá a szerződést.",
    typed: ["arvizturo", "tukorfurogep", "gyori", "szerzodest"],
    absent: ["gyor"],
  },
  {
    name: "Romanian",
    text: "Ședința de mâine începe la ora opt și ţine două ceasuri. Vă rugăm să confirmați prezența.",
    typed: ["sedinta", "maine", "si", "țINE", "confirmati", "Şedinţa"],
    absent: ["confirm"],
  },
  {
    name: "Croatian",
    text: "Đak je čuo za ljetni tečaj u Čakovcu. Kuća na moru košta više nego što smo mislili.",
    typed: ["dak", "cuo", "cakovcu", "kuca", "ǉetni"],
    absent: ["tečajevi"],
  },
  {
    name: "Slovenian",
    text: "Žabe regljajo ob Šmarni gori. Račun za čistilni servis boste prejeli jutri zjutraj.",
    typed: ["zabe", "smarni", "racun", "cistilni"],
    absent: ["racuni"],
  },
  {
    name: "Lithuanian",
    text: "Įlinkdama fechtuotojo špaga sublykčiojusi pragręžė apvalų arbūzą. Susitikime ketvirtadienį Šiauliuose.",
    typed: ["ilinkdama", "pragreze", "arbuza", "siauliuose"],
    absent: ["spagos"],
  },
  {
    name: "Latvian",
    text: "Glāžšķūņa rūķīši dzērumā čiepj Baha koncertflīģeļu vākus. Rēķins jāsamaksā līdz piektdienai.",
    typed: ["glazskuna", "rukisi", "rekins"],
    absent: ["rekini"],
  },
  {
    name: "Estonian",
    text: "Põdur Zagrebi tšellomängija-följetonist külmetas kehvas garaažis. Õhtul sõidame Pärnusse.",
    typed: ["podur", "tsellomangija", "garaazis", "ohtul"],
    absent: ["parnu"],
  },
  {
    name: "Turkish",
    text: "Pijamalı hasta yağız şoföre çabucak güvendi. Işıklar İstanbul'da gece yarısı söndü.",
    typed: ["pijamali", "yagiz", "sofore", "ISIKLAR", "isiklar", "istanbul", "İSTANBUL’DA"],
    absent: ["isik"],
  },
  {
    name: "Azerbaijani",
    text: "Zəfər, jaketini də papağını da götür, bu axşam hava çox soyuq olacaq. Görüş səhər başlayır.",
    typed: ["zefer", "papagini", "AXŞAM", "seher"],
    absent: ["papag"],
  },
  {
    name: "Vietnamese",
    text: "Đề nghị quý khách gửi biên bản cuộc họp trước thứ Sáu. Người Việt uống cà phê sữa đá mỗi sáng.",
    typed: ["de nghi", "quy khach", '"cuoc hop"', "nguoi", "ĐÁ", "sua da"],
    absent: ["hop truong", "viet nam"],
  },
  {
    name: "Maltese",
    text: "Il-laqgħa ta’ għada saret f'Ħaż-Żebbuġ. Ġib id-dokumenti miegħek, jekk jogħġbok.",
    typed: ["laqgha", "haz-zebbug", "ghada", "id-dokumenti"],
    absent: ["zebbug haz"],
  },
  {
    name: "Welsh",
    text: "Bydd y cyfarfod yn Nhŷ Hywel ddydd Gwener. Gŵyl fach yng Nghaerdydd yw hi, gyda llwyth o gawl.",
    typed: ["nhy", "gwyl"],
    absent: ["caerdydd"],
  },
  {
    name: "Irish",
    text: "Beidh an cruinniú ar siúl i mBaile Átha Cliath. Tá fáilte romhat, a Sheáin, agus ḃí ag súil leis.",
    typed: ["cruinniu", "mbaile atha", "BÍ"],
    absent: ["baile", "sean"],
  },
  {
    name: "Catalan",
    text: "La col·lecció d’art és a l'Hospitalet. Quin goig, aquella paraŀlela del segle XIX!",
    typed: ["col.lecció", "coŀlecció", "paral·lela", "l’hospitalet"],
    absent: ["llecció"],
  },
  {
    name: "Swahili",
    text: "Mkutano utafanyika kesho mjini Dar es Salaam. Tafadhali ng'ombe wasiingie shambani tena.",
    typed: ["ng’ombe", "MKUTANO"],
    absent: ["tano", "kutano"],
  },
  {
    name: "Hausa",
    text: "Za a yi taro gobe a birnin Ƙadiri. Ɗan uwa, ka kawo ɓawon ƙwai da ’ya’yan itace na makarantar.",
    typed: ["kadiri", "dan uwa", "bawon", "ƙWAI", "'ya'yan"],
    absent: ["dane"],
  },
  {
    name: "Yoruba",
    text: "Ẹ káàárọ̀ o, ọ̀rẹ́ mi. Ìpàdé yóò wáyé ní Ìbàdàn lọ́la, jọ̀wọ́ má ṣe pẹ́.",
    typed: ["kaaaro", "ore", "ipade", "IBADAN", "jowo"],
    absent: ["iba"],
  },
  {
    name: "Uzbek",
    text: "O‘zbekiston bo'ylab yig'ilish ertaga bo‘ladi. Gʻoliblar roʻyxati Samarqandda eʼlon qilinadi.",
    typed: ["o'zbekiston", "oʻzbekiston", "bo‘ylab", "g'oliblar", "e'lon"],
    absent: ["zbek"],
  },
];
