// Request and Response, as the Fetch Standard has them, without a network.
import { cases } from './web';

cases({
  'a response has what it was given, or defaults': {
    code: `
      const response = new Response('é', { status: 201, statusText: 'Made', headers: { a: 'b' } });
      const { status, statusText, ok, type, url, redirected } = response;
      return [status, statusText, ok, type, url, redirected, [...response.headers], await response.text(), new Response().body];`,
    result: [
      201,
      'Made',
      true,
      'default',
      '',
      false,
      [
        ['a', 'b'],
        ['content-type', 'text/plain;charset=UTF-8'],
      ],
      'é',
      null,
    ],
  },
  'a body is used once': {
    code: `
      const response = new Response('x');
      const before = response.bodyUsed;
      await response.text();
      return [before, response.bodyUsed, await rejected(response.text()), thrown(() => response.clone()), response.body.locked];`,
    result: [false, true, 'TypeError', 'TypeError', true],
  },
  'a clone has a body of its own': {
    code: `
      const response = new Response(streamOf(new Uint8Array([104, 105])));
      const clone = response.clone();
      return [await response.text(), await clone.text()];`,
    result: ['hi', 'hi'],
  },
  'each kind of body has its type': {
    code: `
      const form = new Response(new FormData()).headers.get('content-type');
      return [
        ['x', new URLSearchParams('a=b'), new Blob(['x'], { type: 't/u' }), new Uint8Array(1)].map((body) => new Response(body).headers.get('content-type')),
        form.startsWith('multipart/form-data; boundary='),
      ];`,
    result: [['text/plain;charset=UTF-8', 'application/x-www-form-urlencoded;charset=UTF-8', 't/u', null], true],
  },
  'a body becomes what is asked for': {
    code: `
      const body = () => new Response('{"a":1}', { headers: { 'content-type': 'Application/JSON; a=b' } });
      const blob = await body().blob();
      return [await body().json(), [...new Uint8Array(await body().arrayBuffer())].length, blob.type, await rejected(new Response('{').json())];`,
    result: [{ a: 1 }, 7, 'application/json;a=b', 'SyntaxError'],
    notInNode: 'Node.js keeps the space of the type',
  },
  'a stream as a body must have bytes': {
    code: `return [await rejected(new Response(streamOf('text')).text()), await rejected(new Response(streamOf(1)).bytes?.() ?? new Response(streamOf(1)).text())];`,
    result: ['TypeError', 'TypeError'],
  },
  'some responses have no body': {
    code: `
      return [thrown(() => new Response('x', { status: 204 })), new Response(null, { status: 204 }).status,
        thrown(() => new Response(null, { status: 199 })), thrown(() => new Response(null, { statusText: 'a\\nb' }))];`,
    result: ['TypeError', 204, 'RangeError', 'TypeError'],
  },
  'responses of the class': {
    code: `
      const json = Response.json([1], { status: 418 });
      const redirect = Response.redirect('https://a.example/b', 307);
      const error = Response.error();
      return [json.status, json.headers.get('content-type'), await json.json(), redirect.status, redirect.headers.get('location'),
        error.type, error.status, thrown(() => Response.redirect('https://a.example', 200)), thrown(() => error.headers.set('a', 'b'))];`,
    result: [418, 'application/json', [1], 307, 'https://a.example/b', 'error', 0, 'RangeError', 'TypeError'],
  },
  'a request has what it was given, or defaults': {
    code: `
      const request = new Request('https://a.example/x y#f', { method: 'post', body: 'z', redirect: 'manual' });
      const { method, url, redirect, mode, credentials, cache, keepalive, duplex, integrity } = request;
      return [method, url, redirect, mode, credentials, cache, keepalive, duplex, integrity, request.signal.aborted, await request.text()];`,
    result: [
      'POST',
      'https://a.example/x%20y#f',
      'manual',
      'cors',
      'same-origin',
      'default',
      false,
      'half',
      '',
      false,
      'z',
    ],
  },
  'a request takes the body of another one': {
    code: `
      const first = new Request('https://a.example/', { method: 'PUT', body: 'x', headers: { a: 'b' } });
      const second = new Request(first, { method: 'POST' });
      return [first.bodyUsed, second.method, second.headers.get('a'), await second.text(), thrown(() => new Request(first))];`,
    result: [true, 'POST', 'b', 'x', 'TypeError'],
  },
  'what no request can be is refused': {
    code: `
      const url = 'https://a.example/';
      const tries = [['/relative'], ['https://u:p@a.example'], [url, { method: 'CONNECT' }], [url, { method: 'a b' }], [url, { body: 'x' }],
        [url, { mode: 'navigate' }], [url, { redirect: 'x' }], [url, { signal: {} }], [url, { method: 'POST', body: streamOf() }]];
      return tries.map((given) => thrown(() => new Request(...given)));`,
    result: Array(9).fill('TypeError'),
  },
  'the signal of a request follows that which it was given': {
    code: `
      const controller = new AbortController();
      const request = new Request('https://a.example/', { signal: controller.signal });
      const clone = request.clone();
      controller.abort('why');
      return [request.signal !== controller.signal, request.signal.aborted, request.signal.reason, clone.signal.aborted];`,
    result: [true, true, 'why', true],
  },
});
