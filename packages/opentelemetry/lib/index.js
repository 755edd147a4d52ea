// The instrumentation: who is told of what, from when to when.
import { createRequire } from 'node:module';
import { InstrumentationBase } from '@opentelemetry/instrumentation';
import { Instruments } from './metrics.js';
import { Spans } from './spans.js';

const { name, version } = createRequire(import.meta.url)('../package.json');

export class HyperlightInstrumentation extends InstrumentationBase {
  constructor(config = {}) {
    super(name, version, config);
  }

  /** No module is patched: the package publishes what it does. */
  init() {
    return [];
  }

  // The base class calls these from its constructor, so there are no initial values of fields.
  enable() {
    if (this.spans !== undefined) return;
    this.spans = new Spans(
      () => this.tracer,
      (operation) => this.instruments?.record(operation),
    );
    this.instruments?.observe();
  }

  disable() {
    this.spans?.end();
    this.spans = undefined;
    this.instruments?.end();
  }

  /** There is another provider of meters. */
  _updateMetricInstruments() {
    this.instruments?.end();
    this.instruments = new Instruments(this.meter);
    if (this.spans !== undefined) this.instruments.observe();
  }
}
