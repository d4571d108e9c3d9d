import { defineTests } from "../runner/define.ts";
import { equal, ok, same, show } from "../runner/expect.ts";
import { decompose, isMultipart, leaf, leaves, mimeMessage, multi, type Node, partLeaves } from "./mime.ts";
import { type Email, imported, mailGroup, type Part, table } from "./support.ts";

const group = mailGroup("4.1.4", "Body parts: textBody, htmlBody, attachments");

const text = (letter: string, more = {}): Node => leaf(letter, "text/plain", more);
const html = (letter: string, more = {}): Node => leaf(letter, "text/html", more);
const image = (letter: string, more = {}): Node => leaf(letter, "image/jpeg", more);
const file = (letter: string, more = {}): Node => leaf(letter, "application/pdf", more);
const attachment = { disposition: "attachment" };
const inline = { disposition: "inline" };
const { mixed, alternative, related } = {
  mixed: (...nodes: Node[]): Node => multi("mixed", ...nodes),
  alternative: (...nodes: Node[]): Node => multi("alternative", ...nodes),
  related: (...nodes: Node[]): Node => multi("related", ...nodes),
};

/** The message that the RFC takes for its example. */
const example = mixed(
  text("A", inline),
  mixed(
    alternative(mixed(text("B", inline), image("C", inline), text("D", inline)), related(html("E"), image("F"))),
    image("G", attachment),
    leaf("H", "application/x-excel"),
    leaf("J", "message/rfc822"),
  ),
  text("K", inline),
);

const shapes: [string, Node][] = [
  ["plain", text("A")],
  ["html", html("A")],
  ["image", image("A")],
  ["file", file("A")],
  ["plain-attachment", text("A", attachment)],
  ["alternative", alternative(text("A"), html("B"))],
  ["alternative-reversed", alternative(html("A"), text("B"))],
  ["alternative-only-html", alternative(html("A"))],
  ["alternative-only-plain", alternative(text("A"))],
  ["alternative-calendar", alternative(text("A"), html("B"), leaf("C", "text/calendar"))],
  ["alternative-image", alternative(text("A"), image("B"))],
  ["mixed-file", mixed(text("A"), file("B"))],
  ["mixed-image", mixed(text("A"), image("B"))],
  ["mixed-image-attached", mixed(text("A"), image("B", attachment))],
  ["mixed-image-between", mixed(text("A"), image("B", inline), text("C"))],
  ["mixed-plain-html", mixed(text("A"), html("B"))],
  ["mixed-named-text", mixed(text("A"), text("B", { name: "b.txt" }), text("C"))],
  ["mixed-named-first", mixed(text("A", { name: "a.txt" }), text("B"))],
  ["mixed-text-attached", mixed(text("A"), text("B", attachment))],
  ["mixed-csv", mixed(text("A"), leaf("B", "text/csv"))],
  ["mixed-message", mixed(text("A"), leaf("B", "message/rfc822"))],
  ["mixed-alternative-file", mixed(alternative(text("A"), html("B")), file("C"))],
  ["mixed-alternative-footer", mixed(alternative(text("A"), html("B")), text("C"))],
  ["related", related(html("A"), image("B", { cid: "b@x" }))],
  ["related-file", related(html("A"), file("B"), text("C"))],
  ["alternative-related", alternative(text("A"), related(html("B"), image("C", { cid: "c@x" })))],
  ["related-alternative", related(alternative(text("A"), html("B")), image("C"))],
  ["alternative-mixed-html", alternative(text("A"), mixed(html("B"), image("C"), html("D")))],
  ["alternative-mixed-both", alternative(mixed(text("A"), image("B")), mixed(html("C"), image("D")))],
  [
    "mixed-related-files",
    mixed(related(alternative(text("A"), html("B")), image("C")), file("D"), image("E", attachment)),
  ],
  ["signed", multi("signed", text("A"), leaf("B", "application/pgp-signature"))],
  ["signed-mixed", multi("signed", mixed(text("A"), file("B")), leaf("C", "application/pkcs7-signature"))],
  ["mixed-in-mixed", mixed(mixed(mixed(text("A")), text("B")), text("C"))],
  ["report", multi("report", text("A"), leaf("B", "message/delivery-status"), leaf("C", "message/rfc822"))],
  ["audio-video", mixed(text("A"), leaf("B", "audio/ogg"), leaf("C", "video/mp4", attachment))],
  ["example", example],
];

const bodyArgs = { bodyProperties: ["partId", "blobId", "type", "disposition", "name", "subParts"] };
const properties = ["bodyStructure", "textBody", "htmlBody", "attachments"];

/** The parts of a list as letters: the leaves of the two trees stand in the same order. */
function letters(email: Email, root: Node, list: readonly Part[]): string {
  const ids = partLeaves(email.bodyStructure).map(({ partId }) => partId);
  const all = leaves(root).map(({ letter }) => letter);
  equal(ids.length, all.length, "number of parts in bodyStructure that are no multipart");
  return list.map(({ partId }) => all[ids.indexOf(partId)] ?? "?").join("");
}

function lists(email: Email, root: Node): { textBody: string; htmlBody: string; attachments: string } {
  return {
    textBody: letters(email, root, email.textBody),
    htmlBody: letters(email, root, email.htmlBody),
    attachments: letters(email, root, email.attachments),
  };
}

export const bodyLists = defineTests(group, [
  ...table(shapes, ([name, root]) => ({
    id: `lists-${name}`,
    level: "SHOULD",
    says: "The exact algorithm for decomposing bodyStructure into textBody, htmlBody, and attachments part lists is not mandated. However, the following algorithm is suggested as a starting point.",
    run: async (t) => {
      same(lists(await imported(t, mimeMessage(root), properties, bodyArgs), root), decompose(root), "lists of parts");
    },
  })),
  {
    id: "lists-of-the-example",
    level: "SHOULD",
    says: "In this case, the above algorithm would decompose this to: textBody => [ A, B, C, D, K ], htmlBody => [ A, E, K ], attachments => [ C, F, G, H, J ].",
    run: async (t) => {
      const email = await imported(t, mimeMessage(example), properties, bodyArgs);
      same(lists(email, example), { textBody: "ABCDK", htmlBody: "AEK", attachments: "CFGHJ" }, "lists of parts");
    },
  },
  {
    id: "attachments-rule",
    level: "MUST",
    says: 'attachments: A list, traversing depth-first, of all parts in "bodyStructure" that satisfy either: not of type "multipart/*" and not included in "textBody" or "htmlBody"; of type "image/*", "audio/*", or "video/*" and not in both "textBody" and "htmlBody".',
    run: async (t) => {
      for (const [name, root] of shapes) {
        const email = await imported(t, mimeMessage(root), properties, bodyArgs);
        const inText = new Set(email.textBody.map(({ partId }) => partId));
        const inHtml = new Set(email.htmlBody.map(({ partId }) => partId));
        const expected = partLeaves(email.bodyStructure).filter(({ partId, type }) => {
          const media = /^(image|audio|video)\//i.test(type);
          return media ? !inText.has(partId) || !inHtml.has(partId) : !inText.has(partId) && !inHtml.has(partId);
        });
        const ids = (list: readonly Part[]): unknown[] => list.map(({ partId }) => partId);
        same(ids(email.attachments), ids(expected), `attachments of ${name}`);
      }
    },
  },
  {
    id: "body-types-rule",
    level: "MUST",
    says: 'textBody, htmlBody: A list of "text/plain", "text/html", "image/*", "audio/*", and/or "video/*" parts to display (sequentially) as the message body.',
    run: async (t) => {
      for (const [name, root] of shapes) {
        const email = await imported(t, mimeMessage(root), properties, bodyArgs);
        for (const { type } of [...email.textBody, ...email.htmlBody]) {
          ok(/^(text\/(plain|html)$|image\/|audio\/|video\/)/i.test(type), `${name} has a ${type} as its body`);
        }
      }
    },
  },
  {
    id: "body-preference",
    level: "MUST",
    says: 'textBody: […] with a preference for "text/plain" when alternative versions are available. htmlBody: […] with a preference for "text/html" when alternative versions are available.',
    run: async (t) => {
      const root = alternative(text("A"), html("B"));
      const email = await imported(t, mimeMessage(root), properties, bodyArgs);
      same(lists(email, root), { textBody: "A", htmlBody: "B", attachments: "" }, "lists of parts");
    },
  },
  {
    id: "structure-types",
    level: "MUST",
    says: 'bodyStructure: This is the full MIME structure of the message body, without recursing into "message/rfc822" or "message/global" parts.',
    run: async (t) => {
      const tree = (node: Node): unknown => (node.children ? [node.type, node.children.map(tree)] : node.type);
      const partTree = (part: Part): unknown =>
        isMultipart(part) ? [part.type.toLowerCase(), part.subParts?.map(partTree)] : part.type.toLowerCase();
      const { bodyStructure } = await imported(t, mimeMessage(example), properties, bodyArgs);
      same(partTree(bodyStructure), tree(example), "types in bodyStructure");
    },
  },
  {
    id: "no-sub-parts-in-lists",
    level: "MUST",
    says: 'None of these parts include subParts, including "message/*" types.',
    run: async (t) => {
      const email = await imported(t, mimeMessage(example), properties, bodyArgs);
      for (const { subParts } of email.attachments)
        ok(!subParts?.length, `an attachment has subParts: ${show(subParts)}`);
    },
  },
]);
