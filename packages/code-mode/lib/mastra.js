// A transport for Mastra's code mode, in @mastra/core/tools.

import { variables } from './external.js';
import { checkOptions, runTypeScript } from './program.js';

/** `createCodeMode({ tools }, codeModeTransport())` */
export function codeModeTransport(options) {
  const defaults = checkOptions(options);
  return {
    // No WorkspaceSandbox is needed: the program runs in a virtual machine.
    requiresSandbox: false,
    async run({ program, toolIds, dispatch, timeout, abortSignal, onExternalCall, onExternalResult }) {
      const calls = toolIds.map((id) => {
        const call = async (input) => {
          onExternalCall?.(id, input);
          const begun = performance.now();
          try {
            const result = await dispatch(id, input);
            onExternalResult?.(id, performance.now() - begun);
            return result;
          } catch (error) {
            onExternalResult?.(id, performance.now() - begun, error);
            throw error;
          }
        };
        return [`external_${identifierOf(id)}`, call];
      });
      const timeoutMs = timeout ?? defaults.timeoutMs;
      const { value, error, lines } = await runTypeScript(program, {
        ...defaults,
        ...variables(calls),
        timeoutMs,
        signal: abortSignal,
      });
      const logs = lines.map(({ text }) => text);
      if (!error) return { success: true, result: value, logs };
      const { name, message, line } = error;
      return { success: false, error: { name, message, ...(line === undefined ? {} : { line }) }, logs };
    },
  };
}

/** As in the instructions that Mastra gives to the model. */
function identifierOf(id) {
  const text = id.replaceAll(/[^\w$]/g, '_');
  return /^\d|^$/.test(text) ? `_${text}` : text;
}
