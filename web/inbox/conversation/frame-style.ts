/** The look of the page inside the frame: a white sheet in the dark too, since mails are written for one. */
export const frameStyle = `
:root { color-scheme: light; background: #fff; color: #1b1c1e; font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
body { margin: 0; display: flow-root; }
img { max-width: 100%; object-fit: contain; }
[data-narrow] :is(table, td, th, div, p, pre, center) { max-width: 100% !important; min-width: 0 !important; }
[data-narrow] :is(td, th) { white-space: normal !important; }
a { color: #0b57d0; }
pre { white-space: pre-wrap; }
blockquote { margin: 0.5em 0 0.5em 0.25em; padding-left: 0.75em; border-left: 3px solid #c6cad0; }
details[data-fold] > summary { display: inline-block; margin: 0.5em 0; padding: 0 0.75em; border-radius: 1em; background: #e8eaed;
  color: #3c4043; font: 700 13px/1.6 system-ui, sans-serif; letter-spacing: 0.1em; cursor: pointer; list-style: none; }
details[data-fold] > summary:focus-visible { outline: 2px solid #0b57d0; outline-offset: 2px; }
@media print { details[data-fold] { display: none; } }
`;
