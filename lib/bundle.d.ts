/** What {@link bundle} takes. */
export interface BundleOptions {
  /** The file to begin with, JavaScript or TypeScript, or the name of a package. */
  entry: string;
  /** A file to write the bundle to. Its folders are made. */
  outfile?: string;
  /** Whether to make the code shorter, at the price of its names. Default: `false`. */
  minify?: boolean;
  /** Whether the code ends with a source map of itself. Default: `false`. */
  sourcemap?: boolean;
  /** Modules that are not to be part of the bundle, beside those with a scheme (`host:db`, `user:shapes`). */
  external?: string[];
  /** Conditions by which packages choose among their builds, before those of {@link bundle}. */
  conditions?: string[];
  /** Expressions to replace by others, both as text of JavaScript. */
  define?: Record<string, string>;
}

/** A bundle, and what there is to know of it. */
export interface Bundle {
  /** An ES module, for `addHandler()`, `addModule()`, or the modules of a program. */
  code: string;
  /** Its size in bytes. */
  size: number;
  /** How many bytes of it come from which package, the most first. The name of your own files is empty. */
  packages: { name: string; size: number }[];
  /** What it still imports: modules of the guest, of your program, and what you have named as `external`. */
  imports: string[];
  /** What may be wrong with it. */
  warnings: string[];
  /** The sizes as a text for humans. */
  report: string;
}

/**
 * Makes one ES module of a program and of the npm packages that it imports, with esbuild, which must be installed.
 *
 * It rejects with `ERR_BUNDLE` if a package needs what the guest does not have, or if there is no esbuild, and with
 * `ERR_INVALID_ARG` if the options are wrong.
 */
export function bundle(options: BundleOptions): Promise<Bundle>;
