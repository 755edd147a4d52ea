// Models that say what a test has written down: first a call of a tool, then a text. No network is used.
import { MockLanguageModelV4 } from 'ai/test';

const USAGE = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};
const answer = (content, reason) => ({
  content,
  finishReason: { unified: reason, raw: reason },
  usage: USAGE,
  warnings: [],
});

/** For the AI SDK, and for Mastra, which takes its models. */
export function model(toolName, input) {
  const call = { type: 'tool-call', toolCallId: 'call-1', toolName, input: JSON.stringify(input) };
  const answers = [answer([call], 'tool-calls'), answer([{ type: 'text', text: 'Done.' }], 'stop')];
  return new MockLanguageModelV4({
    doGenerate: answers,
    doStream: answers.map(({ content: [part], finishReason, usage }) => ({
      stream: new ReadableStream({
        start(controller) {
          controller.enqueue({ type: 'stream-start', warnings: [] });
          if (part.type === 'text') {
            controller.enqueue({ type: 'text-start', id: '1' });
            controller.enqueue({ type: 'text-delta', id: '1', delta: part.text });
            controller.enqueue({ type: 'text-end', id: '1' });
          } else {
            controller.enqueue(part);
          }
          controller.enqueue({ type: 'finish', finishReason, usage });
          controller.close();
        },
      }),
    })),
  });
}

/** An adapter for TanStack AI. */
export function adapter(toolName, input) {
  let turn = 0;
  return {
    kind: 'text',
    name: 'scripted',
    model: 'scripted',
    '~types': {},
    async *chatStream() {
      turn += 1;
      const [runId, threadId, messageId, toolCallId] = [`run-${turn}`, 'thread', `message-${turn}`, 'call-1'];
      yield { type: 'RUN_STARTED', runId, threadId, timestamp: 0 };
      if (turn === 1) {
        yield { type: 'TOOL_CALL_START', toolCallId, toolCallName: toolName, toolName, timestamp: 0 };
        yield { type: 'TOOL_CALL_ARGS', toolCallId, delta: JSON.stringify(input), timestamp: 0 };
        yield { type: 'TOOL_CALL_END', toolCallId, toolCallName: toolName, toolName, input, timestamp: 0 };
      } else {
        yield { type: 'TEXT_MESSAGE_START', messageId, role: 'assistant', timestamp: 0 };
        yield { type: 'TEXT_MESSAGE_CONTENT', messageId, delta: 'Done.', timestamp: 0 };
        yield { type: 'TEXT_MESSAGE_END', messageId, timestamp: 0 };
      }
      yield { type: 'RUN_FINISHED', runId, threadId, finishReason: turn === 1 ? 'tool_calls' : 'stop', timestamp: 0 };
    },
    structuredOutput: () => Promise.reject(new Error('not in the script')),
  };
}

/** The last result of a tool that TanStack AI's `chat()` streams. */
export async function resultOfChat(stream) {
  let result;
  let text = '';
  for await (const chunk of stream) {
    if (chunk.type === 'TOOL_CALL_RESULT') result = JSON.parse(chunk.content);
    if (chunk.type === 'TEXT_MESSAGE_CONTENT') text += chunk.delta;
    if (chunk.type === 'RUN_ERROR') throw new Error(chunk.message);
  }
  return { result, text };
}
