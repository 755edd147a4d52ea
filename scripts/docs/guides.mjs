// A plugin of typedoc: pages go by their headings instead of the names of their files, and in groups.
import { Converter } from 'typedoc';

const HEADING = /^# (.+)\n+/;

/** typedoc calls it by this name. */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    const [first] = page.content;
    const heading = first?.kind === 'text' ? first.text.match(HEADING) : undefined;
    if (!heading) throw new Error(`the page ${page.name} does not begin with a heading`);
    page.frontmatter.group = groupOf(page.name);
    page.name = heading[1];
    // The page's title says it already.
    first.text = first.text.slice(heading[0].length);
  });
}

/** A name is the path of the file, without its extension. */
function groupOf(name) {
  if (!name.startsWith('docs/')) return 'The project';
  return name.startsWith('docs/recipes/') ? 'Recipes' : 'Guides';
}
