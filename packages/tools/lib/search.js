// Finding tools by words, where there are too many to show.

const MAX_QUERY = 1000;
const MAX_WORDS = 16;
const MAX_TEXT = 1024;
const WORDS = /[\p{L}\p{N}]+/gu;

/** The words of each tool, made at its first search. */
const indexes = new WeakMap();

/** The best matches first; those that match equally well in their order. */
export function search(tools, query, { limit = 10 } = {}) {
  const words = wordsOf(String(query).slice(0, MAX_QUERY)).slice(0, MAX_WORDS);
  const found = tools.map((tool) => ({ tool, score: scoreOf(indexOf(tool), words) }));
  return found
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ tool }) => tool);
}

function scoreOf({ name, more }, words) {
  let score = 0;
  for (const word of words) {
    if (name.has(word)) score += 8;
    else if (hasPrefix(name, word)) score += 4;
    else if (more.has(word)) score += 2;
    else if (hasPrefix(more, word)) score += 1;
  }
  return score;
}

/** One of the words begins with this one, or the other way round: `issue` finds `issues` and `issues` finds `issue`. */
function hasPrefix(words, word) {
  if (word.length < 3) return false;
  for (const known of words) {
    if (known.length >= 3 && (known.startsWith(word) || word.startsWith(known))) return true;
  }
  return false;
}

function indexOf(tool) {
  let index = indexes.get(tool);
  if (!index) {
    const properties = Object.keys(tool.inputSchema?.properties ?? {}).join(' ');
    index = {
      name: new Set(wordsOf(`${tool.originalModule} ${tool.originalName}`.slice(0, MAX_TEXT))),
      more: new Set(wordsOf(`${(tool.description ?? '').slice(0, MAX_TEXT)} ${properties.slice(0, MAX_TEXT)}`)),
    };
    indexes.set(tool, index);
  }
  return index;
}

function wordsOf(text) {
  const parted = text.replaceAll(/(\p{Ll}|\p{N})(?=\p{Lu})/gu, '$1 ').replaceAll('_', ' ');
  return (parted.toLowerCase().match(WORDS) ?? []).filter((word) => word.length > 1);
}
