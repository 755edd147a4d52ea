// What a model reads of a program that has run.

const MAX_STACK = 2048;

/** The value as JSON is the first part, the console the second. */
export function replyOf({ value, receipt }, { maxResultBytes }) {
  const text = JSON.stringify(value, bytesAsText) ?? 'undefined';
  const size = Buffer.byteLength(text);
  if (size > maxResultBytes) {
    return failure(`The value has ${size} bytes as JSON, more than ${maxResultBytes}. Return less of it.`, receipt);
  }
  return { content: [{ type: 'text', text }, ...consoleOf(receipt)], _meta: metaOf(receipt) };
}

export function replyOfError(error, options) {
  return failure(textOf(error, options), error.receipt);
}

export function failure(text, receipt) {
  return { isError: true, content: [{ type: 'text', text }, ...consoleOf(receipt)], _meta: metaOf(receipt) };
}

function textOf(error, { cpuTimeoutMs, wallClockTimeoutMs }) {
  switch (error.code) {
    case 'ERR_CANCELLED':
      if (error.terminatedBy === 'signal') return 'The call was cancelled.';
      return `The program timed out: its limits are ${cpuTimeoutMs}ms of processor time and ${wallClockTimeoutMs}ms in all.`;
    case 'ERR_COMPILE':
      return `It does not compile, line ${error.line}, column ${error.column}: ${error.guestMessage ?? error.message}`;
    case 'ERR_GUEST_ERROR': {
      const thrown = error.guestName
        ? `${error.guestName}: ${error.guestMessage}`
        : (error.guestMessage ?? error.message);
      return [thrown, ...(error.guestStack ? [error.guestStack.slice(0, MAX_STACK)] : [])].join('\n');
    }
    default:
      return `${error.code ?? error.name}: ${error.message}`;
  }
}

function consoleOf(receipt) {
  if (!receipt || receipt.console.length + receipt.droppedLines === 0) return [];
  const lines = receipt.console.map(({ level, text }) => (level === 'info' ? text : `[${level}] ${text}`));
  if (receipt.droppedLines > 0) lines.push(`(${receipt.droppedLines} more lines)`);
  return [{ type: 'text', text: `Console:\n${lines.join('\n')}` }];
}

function metaOf(receipt) {
  if (!receipt) return undefined;
  const { wallClockMs, cpuTimeMs, peakHeapBytes, terminatedBy, hostCalls } = receipt;
  return {
    'hyperlight/receipt': {
      wallClockMs,
      cpuTimeMs,
      peakHeapBytes,
      terminatedBy,
      toolCalls: Object.values(hostCalls)[0]?.count ?? 0,
    },
  };
}

/** JSON has no bytes. */
function bytesAsText(_key, value) {
  if (!(value instanceof Uint8Array)) return value;
  return `data:application/octet-stream;base64,${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}`;
}
