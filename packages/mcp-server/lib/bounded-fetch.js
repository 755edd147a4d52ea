// What a server answers over HTTP is bounded as what one answers over a pipe is, by the size of a message.

const MAX_MESSAGE = 10 * 1024 * 1024;
const LINE_FEED = 10;

export async function boundedFetch(input, init) {
  const response = await fetch(input, init);
  if (!response.body) return response;
  // A stream of events has a message in each line, and no end.
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  let size = 0;
  const bound = new TransformStream({
    transform(chunk, controller) {
      const lineEnd = isStream ? chunk.lastIndexOf(LINE_FEED) : -1;
      size = lineEnd === -1 ? size + chunk.length : chunk.length - lineEnd;
      if (size > MAX_MESSAGE) controller.error(new Error(`a message has more than ${MAX_MESSAGE} bytes`));
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(bound), { status, statusText, headers });
}
