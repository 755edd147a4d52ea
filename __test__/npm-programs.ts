// A realistic program for each of 40 npm packages: npm-packages.test.ts runs it in Node.js and in a guest.

/** Sources of programs whose function `handler` gives what is compared, by the names of the packages. */
export const PROGRAMS: Record<string, string> = {
  acorn: `import { parse, tokenizer } from 'acorn';
    export const handler = () => {
      const program = parse('const add = (a, b = 2) => a ** b; export default add', { ecmaVersion: 2022, sourceType: 'module', locations: true });
      return [program, [...tokenizer('a?.b / /c/g', { ecmaVersion: 2022 })].map((token) => token.type.label)];
    };`,
  ajv: `import { Ajv } from 'ajv';
    export const handler = () => {
      const validate = new Ajv({ allErrors: true }).compile({
        type: 'object', required: ['id', 'tags'], additionalProperties: false,
        properties: { id: { type: 'integer', minimum: 1 }, tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, uniqueItems: true } },
      });
      return [{ id: 1, tags: ['a', 'b'] }, { id: 0, tags: ['A', 'A'], more: 1 }].map((value) => [validate(value), validate.errors]);
    };`,
  'bignumber.js': `import { BigNumber } from 'bignumber.js';
    export const handler = () => {
      const price = new BigNumber('0.1').plus('0.2').times('1e20').div(3);
      return [price.toFixed(10), price.toFormat(2), new BigNumber('ff.8', 16).toString(), new BigNumber(2).sqrt().toString()];
    };`,
  cheerio: `import { load } from 'cheerio';
    export const handler = () => {
      const $ = load('<ul id="fruits"><li class="apple">Äpfel &amp; Birnen<li class="pear" data-n="2">Pear</ul>');
      $('.pear').addClass('ripe').attr('title', '"x"').after('<li>Plum</li>');
      return [$('li').map((_, element) => $(element).text()).get(), $('[data-n=2]').data('n'), $('#fruits > li:first-child').text(), $.html()];
    };`,
  'csv-parse': `import { parse } from 'csv-parse/sync';
    export const handler = () => parse('id;name\\n1;"a;""b"""\\n# no\\n2; c \\n', { columns: true, delimiter: ';', trim: true, comment: '#', cast: true });`,
  'date-fns': `import { addMonths, differenceInCalendarDays, eachDayOfInterval, format, formatDistance, isWeekend, parseISO } from 'date-fns';
    import { de } from 'date-fns/locale';
    export const handler = () => {
      const begin = parseISO('2024-01-31T10:20:30Z'), end = addMonths(begin, 1);
      return [end, format(end, "EEEE, d. MMMM yyyy 'um' HH:mm:ss", { locale: de }), differenceInCalendarDays(end, begin),
        eachDayOfInterval({ start: begin, end }).filter(isWeekend).length, formatDistance(begin, end, { addSuffix: true })];
    };`,
  dayjs: `import dayjs from 'dayjs';
    import duration from 'dayjs/plugin/duration.js';
    import relativeTime from 'dayjs/plugin/relativeTime.js';
    import utc from 'dayjs/plugin/utc.js';
    dayjs.extend(utc); dayjs.extend(duration); dayjs.extend(relativeTime);
    export const handler = () => {
      const day = dayjs.utc('2024-02-29T12:00:00Z');
      return [day.add(1, 'year').format('dddd, D MMMM YYYY'), day.endOf('month').toISOString(), day.from(day.add(3, 'day')), dayjs.duration({ hours: 30 }).humanize()];
    };`,
  'decimal.js': `import { Decimal } from 'decimal.js';
    export const handler = () => [new Decimal(2).sqrt(), Decimal.exp(1).toPrecision(15), new Decimal('1.005').toFixed(2), Decimal.acos(-1), new Decimal('0x1f').pow('2.5')];`,
  diff: `import { applyPatch, createPatch, diffChars, diffWords } from 'diff';
    export const handler = () => {
      const [before, after] = ['one\\ntwo\\nthree\\n', 'one\\n2\\nthree\\nfour\\n'];
      const patch = createPatch('numbers', before, after);
      return [diffChars('kitten', 'sitting'), diffWords('a small step', 'a giant step'), patch, applyPatch(before, patch) === after];
    };`,
  ejs: `import ejs from 'ejs';
    export const handler = () => ejs.render('<% for (const { name, n } of items) { %><li><%= name %>: <%- n %></li>\\n<% } %>', { items: [{ name: '<a>', n: 1 }, { name: 'b', n: '<b>2</b>' }] });`,
  'fast-xml-parser': `import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser';
    export const handler = () => {
      const xml = '<?xml version="1.0"?><order id="7"><item n="2">Tea &amp; cup</item><item>1.50</item><note><![CDATA[<x>]]></note></order>';
      const order = new XMLParser({ ignoreAttributes: false }).parse(xml);
      return [order, new XMLBuilder({ ignoreAttributes: false, format: true }).build(order), XMLValidator.validate('<a><b></a>')];
    };`,
  'fuse.js': `import Fuse from 'fuse.js';
    export const handler = () => {
      const books = [{ title: "Old Man's War", author: 'John Scalzi' }, { title: 'The Lock Artist', author: 'Steve Hamilton' }, { title: 'HTML5', author: 'Remy Sharp' }];
      return new Fuse(books, { keys: ['title', { name: 'author', weight: 0.5 }], includeScore: true, threshold: 0.5 }).search('hamiltn').map(({ item, refIndex }) => [item, refIndex]);
    };`,
  graphql: `import { buildSchema, graphql, parse, print, validate } from 'graphql';
    export const handler = async () => {
      const schema = buildSchema('type Item { id: ID!, price(currency: String = "EUR"): Float } type Query { items(first: Int): [Item!]! }');
      const source = 'query Q($n: Int) { items(first: $n) { id ...P } } fragment P on Item { price(currency: "USD") }';
      const items = [{ id: 1, price: ({ currency }) => (currency === 'USD' ? 1.5 : 1) }, { id: 2, price: 2 }];
      const rootValue = { items: ({ first }) => items.slice(0, first) };
      return [await graphql({ schema, source, rootValue, variableValues: { n: 2 } }), print(parse(source)), validate(schema, parse('{ nothing }')).map(String)];
    };`,
  handlebars: `import Handlebars from 'handlebars';
    export const handler = () => {
      Handlebars.registerHelper('loud', (text) => new Handlebars.SafeString(\`<b>\${text.toUpperCase()}</b>\`));
      Handlebars.registerPartial('line', '{{@index}}: {{name}} {{loud kind}}\\n');
      return Handlebars.compile('{{#each items}}{{> line}}{{else}}none{{/each}}{{#if more}}{{more.[0].x}}{{/if}}')({ items: [{ name: '<a>', kind: 'b' }], more: [{ x: '"y"' }] });
    };`,
  immer: `import { enablePatches, produce, produceWithPatches } from 'immer';
    enablePatches();
    export const handler = () => {
      const before = { list: [{ done: false }, { done: true }], map: { a: 1 } };
      const after = produce(before, (draft) => { draft.list[0].done = true; draft.list.push({ done: false }); delete draft.map.a; });
      return [before, after, after.list[1] === before.list[1], Object.isFrozen(after), produceWithPatches(before, (draft) => { draft.list.shift(); }).slice(1)];
    };`,
  joi: `import Joi from 'joi';
    export const handler = () => {
      const schema = Joi.object({ name: Joi.string().alphanum().min(3).required(), birth: Joi.number().integer().min(1900), email: Joi.string().email({ tlds: false }), repeat: Joi.ref('name') }).with('name', 'birth');
      return [{ name: 'abc', birth: '1994', email: 'a@b.org' }, { name: 'a-', birth: 1 }].map((value) => {
        const { value: result, error } = schema.validate(value, { abortEarly: false });
        return [result, error?.details];
      });
    };`,
  jose: `import { SignJWT, base64url, decodeJwt, jwtVerify } from 'jose';
    export const handler = async () => {
      const key = new TextEncoder().encode('a secret of thirty-two bytes or so');
      const token = await new SignJWT({ role: 'admin' }).setProtectedHeader({ alg: 'HS256' }).setSubject('1').setIssuedAt(1700000000).sign(key);
      const { payload, protectedHeader } = await jwtVerify(token, key);
      const wrong = await jwtVerify(token.slice(0, -2) + 'AA', key).catch(({ code }) => code);
      return [token, payload, protectedHeader, wrong, decodeJwt(token), base64url.encode('ä')];
    };`,
  'js-yaml': `import { dump, load } from 'js-yaml';
    export const handler = () => {
      const value = load('base: &base { a: 1, b: [x, "y\\\\n"] }\\nnext: { c: *base, d: 0x1f, e: ~ }\\ntext: >\\n  folded\\n  lines\\n');
      return [value, dump(value, { lineWidth: 40, sortKeys: true })];
    };`,
  jsonata: `import jsonata from 'jsonata';
    export const handler = async () => {
      const order = { lines: [{ name: 'tea', price: 2.5, n: 4 }, { name: 'cup', price: 7, n: 1 }, { name: 'tea', price: 3, n: 2 }] };
      const of = (expression) => jsonata(expression).evaluate(order);
      return [await of('$sum(lines.(price * n))'), await of('lines{name: $sum(n)}'), await of('lines[price > 2.6]^(>price).name'), await of('$uppercase(lines[0].name) & $string($count(lines))'), await of("$formatNumber(1234.5, '#,##0.00')")];
    };`,
  lodash: `import _ from 'lodash';
    export const handler = () => {
      const people = [{ name: 'Åsa', age: 40, tags: ['a'] }, { name: 'Bo', age: 36, tags: ['a', 'b'] }, { name: 'Cy', age: 40 }];
      return [_.groupBy(people, 'age'), _.orderBy(people, ['age', 'name'], ['desc', 'asc']), _.merge({ a: [{ b: 1 }] }, { a: [{ c: 2 }] }), _.camelCase('déjà vu-again'),
        _.template('<% _.each(n, (i) => { %>[<%- i %>]<% }) %>')({ n: ['<', 2] }), _.isEqual(new Map([[1, { a: 1 }]]), new Map([[1, { a: 1 }]])), _.chunk(_.range(7), 3), _.get(people, '[1].tags[1]')];
    };`,
  luxon: `import { DateTime, Duration, Interval } from 'luxon';
    export const handler = () => {
      const begin = DateTime.fromISO('2024-03-30T12:00:00', { zone: 'Europe/Berlin' }), end = begin.plus({ days: 1 });
      return [end.toISO(), end.toUTC().toISO(), end.diff(begin, 'hours').hours, begin.setLocale('de').toLocaleString(DateTime.DATE_FULL), begin.toFormat('cccc, dd LLL yyyy'), Interval.fromDateTimes(begin, end).length('hours'), Duration.fromObject({ hours: 30 }).shiftTo('days', 'hours').toISO()];
    };`,
  'markdown-it': `import MarkdownIt from 'markdown-it';
    export const handler = () => new MarkdownIt({ linkify: true, typographer: true }).render('# Title\\n\\n* a **b** _c_\\n* www.example.org "quoted" -- (c)\\n\\n| x | y |\\n|---|--:|\\n| 1 | \`2\` |\\n\\n~~~js\\n<x>\\n~~~\\n');`,
  marked: `import { marked } from 'marked';
    export const handler = () => [marked.parse('# Title\\n\\n1. a **b**\\n2. [c](https://example.org "d") ~~e~~\\n\\n> quote\\n\\n| x | y |\\n|---|--:|\\n| 1 | \`2\` |\\n'), marked.lexer('- [x] done')[0].type];`,
  mathjs: `import { create, all } from 'mathjs';
    export const handler = () => {
      const math = create(all);
      return [math.evaluate('sqrt(3^2 + 4^2) * 2 inch to cm').toString(), math.derivative('x^3 + sin(2x)', 'x').toString(), math.det([[1, 2], [3, 4]]), math.format(math.evaluate('[1, 2; 3, 4]^-1')), math.evaluate('(2 + 3i) * 2i').toString(), math.format(math.bignumber('0.1').plus('0.2')), math.std([1, 2, 3, 4]), math.simplify('2x + 3x').toString()];
    };`,
  moment: `import moment from 'moment';
    export const handler = () => {
      const day = moment.utc('2024-02-29T12:00:00Z');
      return [day.clone().add(1, 'year').format('dddd, Do MMMM YYYY'), day.from(moment.utc('2024-03-03')), moment.duration(90, 'minutes').humanize(), moment.utc('31-12-2023', 'DD-MM-YYYY').isoWeek(), moment('no date', moment.ISO_8601).isValid()];
    };`,
  mustache: `import Mustache from 'mustache';
    export const handler = () => Mustache.render('{{#items}}{{name}}: {{{html}}}{{^last}}, {{/last}}{{/items}}{{> end}}', { items: [{ name: '<a>', html: '<b>' }, { name: 'c', html: 1, last: true }], n: 2 }, { end: '({{n}})' });`,
  nanoid: `import { customAlphabet, nanoid } from 'nanoid';
    export const handler = () => {
      const ids = Array.from({ length: 100 }, () => nanoid());
      return [new Set(ids).size, ids.every((id) => /^[\\w-]{21}$/.test(id)), customAlphabet('ab', 10)().length];
    };`,
  nunjucks: `import nunjucks from 'nunjucks';
    export const handler = () => {
      const environment = new nunjucks.Environment(null, { autoescape: true });
      environment.addFilter('double', (n) => 2 * n);
      return environment.renderString('{% macro item(x) %}<{{ x }}>{% endmacro %}{% for x in list %}{% if x > 1 %}{{ loop.index }}:{{ item(x) }}{{ x | double }}{% endif %}{% else %}none{% endfor %} {{ "<b>" }} {{ name | title | replace("A", "B") }}', { list: [1, 2, 3], name: 'anna' });
    };`,
  papaparse: `import Papa from 'papaparse';
    export const handler = () => {
      const { data, errors, meta } = Papa.parse('id,name\\n1,"a,""b"""\\n2,c\\nx', { header: true, dynamicTyping: true });
      return [data, errors, meta.fields, Papa.unparse([{ a: 1, b: 'x,y' }, { a: null, b: '"' }])];
    };`,
  qs: `import qs from 'qs';
    export const handler = () => [qs.parse('a[b][c]=1&d[]=2&d[]=3&e=%C3%A4&f[1]=x&f[0]=y'), qs.stringify({ a: { b: [1, { c: 'ä &' }] }, d: null, e: new Date(0) }, { encodeValuesOnly: true, arrayFormat: 'brackets' })];`,
  ramda: `import * as R from 'ramda';
    export const handler = () => {
      const people = [{ name: 'a', at: { city: 'x' } }, { name: 'b', at: { city: 'y' } }, { name: 'c', at: { city: 'x' } }];
      const byCity = R.pipe(R.groupBy(R.path(['at', 'city'])), R.map(R.pluck('name')), R.toPairs);
      return [byCity(people), R.over(R.lensPath(['at', 'city']), R.toUpper, people[0]), R.sortWith([R.descend(R.prop('name'))])(people).length, R.transduce(R.compose(R.filter((n) => n % 2), R.map(R.multiply(2))), R.flip(R.append), [], R.range(0, 6)), R.equals([1, { a: NaN }], [1, { a: NaN }])];
    };`,
  rxjs: `import { EMPTY, Subject, bufferCount, catchError, concatMap, delay, from, interval, lastValueFrom, map, mergeMap, of, reduce, scan, take, throwError, toArray, zip } from 'rxjs';
    export const handler = async () => {
      const subject = new Subject(), seen = [];
      subject.pipe(scan((sum, n) => sum + n, 0)).subscribe((sum) => seen.push(sum));
      [1, 2, 3].forEach((n) => subject.next(n));
      return [seen, await lastValueFrom(interval(1).pipe(take(5), bufferCount(2), toArray())), await lastValueFrom(zip(of('a', 'b'), from([1, 2])).pipe(concatMap(([a, n]) => of(a + n).pipe(delay(1))), toArray())),
        await lastValueFrom(throwError(() => new Error('x')).pipe(catchError(({ message }) => of(message)))), await lastValueFrom(from([1, 2]).pipe(mergeMap((n) => (n > 1 ? EMPTY : of(n))), map(String), reduce((a, b) => a + b)))];
    };`,
  semver: `import semver from 'semver';
    export const handler = () => [semver.maxSatisfying(['1.2.0', '1.9.3', '2.0.0-rc.1', '2.0.0'], '^1.2 || >=2.0.0-0'), semver.inc('1.2.3-beta.1', 'prerelease'), semver.coerce('v3.4 (x)').version, semver.rsort(['1.0.0', '1.0.0-a', '2.1.0']), semver.valid('1.2'), new semver.Range('~1.2.3 <1.2.9').range, semver.diff('1.0.0', '1.1.0')];`,
  underscore: `import _ from 'underscore';
    export const handler = () => [_.chain([{ n: 3 }, { n: 1 }, { n: 3 }]).pluck('n').uniq().sortBy().value(), _.template('<% _.each(list, (x) => { %><%- x %>;<% }) %>')({ list: ['<', 1] }), _.partition([1, 2, 3, 4], (n) => n % 2), _.isEqual({ a: [new Date(0)] }, { a: [new Date(0)] })];`,
  uuid: `import { NIL, parse, stringify, v4, v5, v7, validate, version } from 'uuid';
    export const handler = () => {
      const ids = Array.from({ length: 100 }, () => v4());
      return [new Set(ids).size, ids.every((id) => validate(id) && version(id) === 4), v5('example.org', v5.DNS), version(v7()), stringify(parse('10ba038e-48da-487b-96e8-8d3b99b6d18a')), NIL];
    };`,
  validator: `import validator from 'validator';
    export const handler = () => [['a@b.org', 'a@b'].map((text) => validator.isEmail(text)), validator.isURL('https://example.org:8080/x?y#z'), validator.isIBAN('DE89370400440532013000'), validator.isCreditCard('4111 1111 1111 1111'), validator.escape('<a href="x">'), validator.normalizeEmail('Some.One+x@GMail.com'), validator.isISO8601('2024-02-30', { strict: true }), validator.isIP('::1', 6), validator.isMobilePhone('+4915112345678', 'de-DE')];`,
  xstate: `import { assign, createActor, fromPromise, setup, waitFor } from 'xstate';
    export const handler = async () => {
      const machine = setup({ actors: { load: fromPromise(async ({ input }) => input.n * 2) }, delays: { soon: 1 } }).createMachine({
        id: 'door', initial: 'closed', context: { opened: 0, loaded: 0 },
        states: { closed: { on: { OPEN: { target: 'open', actions: assign({ opened: ({ context }) => context.opened + 1 }) } } }, open: { after: { soon: 'loading' } },
          loading: { invoke: { src: 'load', input: ({ context }) => ({ n: context.opened }), onDone: { target: 'done', actions: assign({ loaded: ({ event }) => event.output }) } } }, done: { type: 'final' } },
      });
      const actor = createActor(machine).start(), states = [];
      actor.subscribe(({ value }) => states.push(value));
      actor.send({ type: 'OPEN' });
      const { context, status } = await waitFor(actor, ({ status }) => status === 'done');
      return [states, context, status];
    };`,
  yaml: `import { parse, parseDocument, stringify } from 'yaml';
    export const handler = () => {
      const document = parseDocument('# head\\na: &x [1, 0x1f, .inf]\\nb: *x # behind\\nc: |\\n  lines\\n  more\\n');
      document.set('d', { e: [true, null, 'ä: #'] });
      return [parse('- 2024-02-29\\n- !!set { a, b }\\n- "\\\\u00e4"'), document.toString(), document.toJS(), stringify({ long: 'word '.repeat(30) }), parseDocument('a: [1').errors.map(({ code }) => code)];
    };`,
  yup: `import { array, number, object, string } from 'yup';
    export const handler = async () => {
      const schema = object({ name: string().trim().required(), age: number().positive().integer(), tags: array().of(string().matches(/^[a-z]+$/)).min(1) });
      return [await schema.validate({ name: ' a ', age: '24', tags: ['x'] }), await schema.validate({ age: -1.5, tags: ['X', 'y'] }, { abortEarly: false }).catch(({ errors }) => errors), schema.isValidSync({}), schema.describe().fields.age.tests];
    };`,
  zod: `import { z } from 'zod';
    export const handler = () => {
      const schema = z.object({ id: z.coerce.number().int().positive(), email: z.email(), tags: z.array(z.enum(['a', 'b'])).min(1).default(['a']), at: z.iso.datetime().transform((text) => Date.parse(text)), kind: z.discriminatedUnion('type', [z.object({ type: z.literal('x'), n: z.number() }), z.object({ type: z.literal('y') })]) });
      return [schema.parse({ id: '7', email: 'a@b.org', at: '2024-02-29T12:00:00Z', kind: { type: 'x', n: 1 } }), schema.safeParse({ id: -1, email: 'x', tags: [], at: '', kind: { type: 'z' } }).error.issues, z.toJSONSchema(z.object({ a: z.string().optional() }))];
    };`,
};
