/** Odd but honest HTML: what must survive cleaning, since newsletters and people rely on it. */
export interface HonestMail {
  name: string;
  html: string;
  /** Elements of the shown mail, and the computed style or the attribute that each must have. */
  keeps: { selector: string; style?: Record<string, string>; attributes?: Record<string, string>; text?: string }[];
  /** How many remote pictures it has. */
  remotePictures?: number;
}

const gif = "data:image/gif;base64,R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=";

export const honestMails: HonestMail[] = [
  {
    name: "a newsletter of tables with colours by attribute",
    html:
      "<html><body bgcolor=f4f4f4 text=#202020><table width=600 cellpadding=0 cellspacing=0 border=0 align=center bgcolor=#ffffff role=presentation>" +
      "<tr><td height=40 valign=top align=right bgcolor=#003366><font face=Georgia size=4 color=#ffffff>The Weekly</font></td></tr></table></body></html>",
    keeps: [
      { selector: "body > div", style: { backgroundColor: "rgb(244, 244, 244)", color: "rgb(32, 32, 32)" } },
      {
        selector: "table",
        style: { width: "600px", backgroundColor: "rgb(255, 255, 255)" },
        attributes: { role: "presentation", cellpadding: "0" },
      },
      {
        selector: "td",
        style: { backgroundColor: "rgb(0, 51, 102)", textAlign: "-webkit-right", verticalAlign: "top" },
      },
      { selector: "font", style: { color: "rgb(255, 255, 255)", fontFamily: "Georgia" } },
    ],
  },
  {
    name: "inline styles",
    html:
      "<div style=\"font: 700 14px/1.5 'Helvetica Neue', Arial; color:#c00; background-color: rgba(0,0,0,.1); padding:4px 8px; border:1px solid #ccc; border-radius:4px; text-align:center; max-width:500px\">sale</div>" +
      '<p style="mso-line-height-rule:exactly;line-height:20px;text-transform:uppercase;letter-spacing:2px">spaced</p>' +
      '<p style="background:linear-gradient(90deg,#f00,#00f);width:calc(100px + 2em);display:inline-block">gradient</p>',
    keeps: [
      {
        selector: "div > div",
        style: {
          color: "rgb(204, 0, 0)",
          fontWeight: "700",
          paddingLeft: "8px",
          borderTopWidth: "1px",
          borderTopLeftRadius: "4px",
          textAlign: "center",
          maxWidth: "500px",
        },
      },
      { selector: "p", style: { lineHeight: "20px", textTransform: "uppercase", letterSpacing: "2px" } },
      {
        selector: "p + p",
        style: { backgroundImage: "linear-gradient(90deg, rgb(255, 0, 0), rgb(0, 0, 255))", display: "inline-block" },
      },
    ],
  },
  {
    name: "a button that is a link in a table",
    html: "<table><tr><td style='border-radius:6px;background:#0a7'><a href='https://shop.example/buy?id=1&amp;b=2' style='display:inline-block;padding:12px;color:#fff;text-decoration:none'>Buy</a></td></tr></table>",
    keeps: [
      { selector: "td", style: { backgroundColor: "rgb(0, 170, 119)" } },
      {
        selector: "a",
        style: { display: "inline-block", paddingTop: "12px", color: "rgb(255, 255, 255)" },
        attributes: {
          href: "https://shop.example/buy?id=1&b=2",
          target: "_blank",
          rel: "noopener noreferrer nofollow",
          title: "https://shop.example/buy?id=1&b=2",
        },
      },
    ],
  },
  {
    name: "pictures elsewhere, with their texts and sizes",
    html: "<img src=https://cdn.example/logo.png alt='Note: our logo' width=200 height=50 border=0><img src=//cdn.example/pixel.gif width=1 height=1 alt=''>",
    keeps: [{ selector: "img", attributes: { alt: "Note: our logo", width: "200", height: "50" } }],
    remotePictures: 2,
  },
  {
    name: "pictures inside the mail",
    html: `<img src="${gif}" alt=dot width=10 height=10>`,
    keeps: [{ selector: "img", attributes: { src: gif, width: "10" } }],
  },
  {
    name: "an answer with a quote that is folded",
    html: "<div dir=ltr>Yes.</div><div class=gmail_quote><div class=gmail_attr>On Monday Ann wrote:</div><blockquote class=gmail_quote style='margin:0 0 0 .8ex;border-left:1px #ccc solid'>Well?</blockquote></div>",
    keeps: [
      { selector: "details[data-fold] > div > blockquote", text: "Well?" },
      { selector: "details > summary", text: "•••" },
    ],
  },
  {
    name: "an answer below a quote, which stays open",
    html: "<div class=moz-cite-prefix>Ann wrote:</div><blockquote type=cite cite='mid:1@x'><p>Well?</p></blockquote><p>Yes.</p>",
    keeps: [{ selector: "body > div > blockquote", attributes: { type: "cite" }, text: "Well?" }],
  },
  {
    name: "Outlook's line before the earlier mail",
    html: "<p>Fine.</p><div id=appendonsend></div><hr width=98%><div id=divRplyFwdMsg dir=ltr><b>From:</b> Ann</div><div>earlier</div>",
    keeps: [
      { selector: "details[data-fold] > div:last-child", text: "earlier" },
      { selector: "details > hr", attributes: { width: "98%" } },
    ],
  },
  {
    name: "a forwarded mail, which stays open",
    html: "<p>See below.</p><div class=gmail_quote><div class=gmail_attr>---------- Forwarded message ---------<br>From: Ann</div><p>the news</p></div>",
    keeps: [{ selector: "body > div > div > p", text: "the news" }],
  },
  {
    name: "Hebrew and Arabic",
    html: "<div dir=rtl style='text-align:right'>שלום <bdi>abc</bdi></div><p dir=auto>مرحبا</p><span lang=ar style='direction:rtl;unicode-bidi:embed'>نعم</span>",
    keeps: [
      { selector: "div[dir=rtl]", style: { direction: "rtl", textAlign: "right" } },
      { selector: "p", style: { direction: "rtl" } },
      { selector: "span", style: { direction: "rtl", unicodeBidi: "embed" }, attributes: { lang: "ar" } },
    ],
  },
  {
    name: "a mail whose body is right to left",
    html: "<html dir=rtl><body dir=rtl style='background:#fee'>שלום</body></html>",
    keeps: [{ selector: "body > div", style: { direction: "rtl", backgroundColor: "rgb(255, 238, 238)" } }],
  },
  {
    name: "text of old: center, font, lists, rules, pre",
    html: "<center><big><tt>OLD</tt></big></center><ol start=3 type=A><li value=5>e</li></ol><ul type=square><li>x</ul><hr size=5 noshade color=red><pre>a\n  b</pre><s>no</s><u>yes</u><sup>2</sup>",
    keeps: [
      { selector: "center", style: { textAlign: "-webkit-center" } },
      { selector: "ol", attributes: { start: "3", type: "A" }, style: { listStyleType: "upper-alpha" } },
      { selector: "ul", style: { listStyleType: "square" } },
      { selector: "hr", attributes: { size: "5", color: "red" } },
      { selector: "pre", style: { whiteSpaceCollapse: "preserve" }, text: "a\n  b" },
    ],
  },
  {
    name: "a data table with spans",
    html: "<table border=1 bordercolor=#999 rules=all summary='Sales: 2026'><caption>Q1</caption><colgroup><col width=50></colgroup><thead><tr><th scope=col colspan=2 nowrap>Sum</th></tr></thead><tbody><tr><td rowspan=2>1</td><td>2</td></tr></tbody></table>",
    keeps: [
      { selector: "table", attributes: { border: "1", rules: "all", summary: "Sales: 2026" } },
      { selector: "th", attributes: { colspan: "2", scope: "col" }, style: { whiteSpace: "nowrap" } },
      { selector: "col", attributes: { width: "50" } },
    ],
  },
  {
    name: "a hidden preview text",
    html: "<div style='display:none;max-height:0;overflow:hidden;font-size:1px'>Look inside</div><span style='visibility:hidden'>x</span><p>shown</p>",
    keeps: [
      { selector: "div > div", style: { display: "none" } },
      { selector: "span", style: { visibility: "hidden" } },
    ],
  },
  {
    name: "letters written as entities, and symbols",
    html: "<p>K&ouml;ln &mdash; 5&nbsp;&euro; &#128512; &lt;b&gt; &amp;amp;</p>",
    keeps: [{ selector: "p", text: "Köln — 5\u00a0€ 😀 <b> &amp;" }],
  },
  {
    name: "links to write and to call",
    html: "<a href='mailto:a@b.example?subject=Hi%20there'>write</a> <a href='tel:+49123'>call</a> <a href='HTTP://Example.org/A b'>site</a>",
    keeps: [
      { selector: "a", attributes: { href: "mailto:a@b.example?subject=Hi%20there" } },
      { selector: "a + a", attributes: { href: "tel:+49123" } },
      { selector: "a + a + a", attributes: { href: "http://example.org/A%20b" } },
    ],
  },
  {
    name: "a fragment without html and body",
    html: "just <b>bold</b><br>and a line",
    keeps: [{ selector: "b", style: { fontWeight: "700" } }],
  },
];
