// Sources with JSX: what is compared with what the compiler of TypeScript makes of them. Each is an expression.
import { Random } from './random';

export const WRITTEN = [
  '<div/>',
  '<div></div>',
  '<div>  </div>',
  '<div>\n  </div>',
  '<div> a </div>',
  '<div>\n  a  \n\n  b\t\n</div>',
  '<div> a\n  b </div>',
  '<div>\u00a0a\u00a0\n\u3000b\u3000\n</div>',
  '<div>a\r\n  b\u2028c\u2029 d</div>',
  '<div>&amp;&lt;&gt;&quot;&apos;&nbsp;&copy;&euro;&Alpha;&hearts;</div>',
  '<div>&#65;&#x42;&#x1F600;&#128512;&#xD83D;&#0;&#x0a;</div>',
  '<div>&unknown; &amp &; &#; &#x; &#xg; & &a&amp;b; &#x000041;&constructor;</div>',
  '<div>&#32;a&#32;\n&nbsp;\n b &#10;</div>',
  '<div>"\'\\ \\n `${1}` // no comment /* nor this */</div>',
  '<div>{}</div>',
  '<div>{/* a comment */}</div>',
  '<div>{1 /* a */}{/* b */ 2 // c\n}</div>',
  '<div>{1}{"a"}{null}{undefined}{true}</div>',
  '<div>{[1, 2]}</div>',
  '<div>{...[1, 2]}</div>',
  '<div>a{...[1, 2]}{...[3]}</div>',
  '<div>{(1, 2)}{[(3, 4)]}</div>',
  '<div>{n > 1 ? <a/> : <b/>}{n && <c/>}{list.map((x) => <i key={x}>{x}</i>)}</div>',
  '<div a b="c" d={1} e={"f"} g=\'h\' i={[1]} j={{ k: 2 }} l={`m`}/>',
  '<div a="&amp;&quot;\\n" b=\'"\' c="\'" d="x\n   y" e=""/>',
  '<div a-b="1" data-c={2} d:e="3" class$="4" _f g1="5" default new/>',
  '<div a=<b/> c=<>d</> e={<f/>}/>',
  '<div {...props}/>',
  '<div {...props} a={1}/>',
  '<div a={1} {...props}/>',
  '<div {...props} {...list} a="b" {...{ c: 2 }}/>',
  '<div {...null} {.../* a */props/* b */}/>',
  '<div a={1}b={2}c="3"d/>',
  '<div a = {1} b\n=\n"c" d/>',
  '<div /* a */ b /* c */ = /* d */ {1} // e\n f={/* g */ 2 /* h */}/>',
  '<div key="a"/>',
  '<div key="a" b="c"/>',
  '<div b="c" key={n + 1}/>',
  '<div key={n}>a</div>',
  '<div key={n}>a{1}</div>',
  '<div key/>',
  '<div key=<a/>/>',
  '<div key={<a key="b"/>} c>d</div>',
  '<div key={(1, n)} a/>',
  '<div key="&amp;"/>',
  '<div key={[\n  1,\n  2,\n].length} a={\n1}>\n  b\n</div>',
  '<div key={1} {...props}/>',
  '<div {...props} key={1}/>',
  '<div {...props} key="a">b{1}</div>',
  '<div key="a" {...props} key="b">c</div>',
  '<div key="a" key="b"/>',
  '<div children="a"/>',
  '<div children="a">b</div>',
  '<div children="a">b{1}</div>',
  '<Box/>',
  '<Box.Item/>',
  '<Box.Item.Part a="b">c</Box.Item.Part>',
  '<box.item/>',
  '<Box . Item />',
  '<a-b/>',
  '<a-b.c/>'.replace('.c', ''),
  '<svg:path xlink:href="#a"/>',
  '<_under/>',
  '<$dollar/>',
  '<>a</>',
  '<></>',
  '<>\n</>',
  '<>{1}</>',
  '<><a/><b/></>',
  '<>a<>b<>c</></></>',
  '<div>\n  <p>a</p>\n  <p>b</p>\n</div>',
  '<div>\n  a <b>c</b> d\n  <e/>f\n  <g/>\n  h\n</div>',
  '<div>{n}</div>',
  '<div>{" "}a{" "}</div>',
  '<div>{(() => { return <a>{n}</a> })()}</div>',
  '(() => { return<a/> })()',
  '(() => { if (n) return <a>b</a>; else return(<c/>) })()',
  '[<a/>,<b/>,...[<c/>]]',
  '({ a: <b/>, [`c`]: <d/> })',
  'typeof<a/>',
  'void<a/>',
  '!<a/>',
  '<a/>.length',
  '(<a>b</a>) || <c/>',
  'n ? <a/> : <b/>',
  '`${<a b={`c${<d/>}`}/>}`.length',
  '<Box<string> a="b"/>',
  '<Box<{ a: number }> />',
  '(<T,>(x: T) => <a b={x as any}>{x!}</a>)(n)',
  '<a b={n as number} c={n!} d={n satisfies number} {...props as object}>{n as number}{...list as number[]}</a>',
  '<a b={function () { return 1 }.name} c={(x: number) => x + 1}/>',
  '<a b={async () => { await null }}/>',
  '<A.B.C d/>'.replace('A.B.C', 'Box.Item.Part'),
  '<div a="</div>" b={"/>"} c={/\\/>/}>{"</div>"}{`}`}</div>',
  '<div>}</div>'.replace('}', '&#125;'),
  '<div>\n{/* a */}\n</div>',
  '<div>\n{/* a */}\n{/* b */}\nc</div>',
  '<div>a {/* b */} c</div>',
  '<div\n  a="b"\n  c={n}\n>\n  d\n</div\n>',
  '<\ndiv\n/>',
  '<div></\n  div >',
  '<div>\u{1f600}é{"ü"}</div>',
  '<é/>'.replace('é', 'Box'),
  '<input value="a" disabled/>',
  '<a href="?a=1&b=2&copy=3&amp;d"/>',
  '<A/>'.replace('A', 'Box'),
  '<div __proto__={null}/>',
  '<div a={{ __proto__: null }}/>',
];

const WORDS = ['a', ' ', '\n', '  b\n', '&amp;', '&#x41;', 'é', '"', "'", '\\', '\n\n  c d\t\n', '\u00a0', ';'];
const NAMES = ['div', 'p', 'a-b', 'Box', 'Box.Item', 'Box.Item.Part', 'x:y'];
const VALUES = [
  'n',
  '1',
  '"s"',
  'list',
  'null',
  'n > 0',
  '(n, 2)',
  '() => n',
  '{ q: n }',
  '`t${n}`',
  '/* c */ n',
  'n // c\n',
];
const ATTRIBUTES = ['a', 'b', 'data-c', 'd:e', 'key', 'children', 'ref'];

/** Sources that are made by chance: always the same. */
export function made(count: number): string[] {
  const chance = new Random(2026);
  const below = (limit: number) => chance.below(limit);
  const one = (values: string[]) => values[below(values.length)] as string;
  const repeat = (limit: number, make: () => string, separator = '') =>
    Array.from({ length: below(limit) }, make).join(separator);

  const attribute = (depth: number): string => {
    switch (below(depth > 0 ? 7 : 5)) {
      case 0:
        return '{...props}';
      case 1:
        return one(ATTRIBUTES);
      case 2:
        return `${one(ATTRIBUTES)}="${repeat(3, () => one(WORDS).replaceAll('"', ''))}"`;
      case 5:
        return `${one(ATTRIBUTES)}={${element(depth - 1)}}`;
      case 6:
        return `{...${element(depth - 1)}}`;
      default:
        return `${one(ATTRIBUTES)}={${one(VALUES)}}`;
    }
  };
  const child = (depth: number): string => {
    switch (below(depth > 0 ? 8 : 4)) {
      case 0:
        return `{${one(VALUES)}}`;
      case 1:
        return '{/* nothing */}';
      case 2:
      case 3:
        return repeat(4, () => one(WORDS));
      case 4:
        return '{...list}';
      case 5:
        return `{n ? ${element(depth - 1)} : ${element(depth - 1)}}`;
      default:
        return element(depth - 1);
    }
  };
  const element = (depth: number): string => {
    const children = () => repeat(5, () => child(depth));
    const name = one([...NAMES, '']);
    if (name === '') return `<>${children()}</>`;
    const attributes = repeat(4, () => one([' ', '\n  ']) + attribute(depth));
    return below(4) === 0 ? `<${name}${attributes}/>` : `<${name}${attributes}>${children()}</${name}>`;
  };
  return Array.from({ length: count }, () => element(3));
}
