import { InstrumentationBase, type InstrumentationConfig } from '@opentelemetry/instrumentation';

/**
 * Spans and metrics of the sandboxes of `@hyperlight/js-host-api`, for `registerInstrumentations()` and for the option
 * `instrumentations` of `NodeSDK`.
 */
export declare class HyperlightInstrumentation extends InstrumentationBase {
  constructor(config?: InstrumentationConfig);
  protected init(): [];
}
