import type { Bundle, BundleOptions } from '@hyperlight/js-host-api/bundle';

/** Credentials of a user, or a token to ask for others with. */
export type Credentials = { username: string; password: string } | { token: string };

export interface RegistryOptions {
  /** Whether plain HTTP is allowed with registries on other machines. Default: `false`. */
  plainHttp?: boolean;
  /** Gives the credentials for a host. Default: those that `docker login` keeps. */
  credentials?: (host: string) => Credentials | undefined | Promise<Credentials | undefined>;
  /** Milliseconds in which something must come from the registry. Default: 60,000. */
  patienceMs?: number;
  /** Ends the transfer when it is aborted. */
  signal?: AbortSignal;
}

export interface FolderOptions extends RegistryOptions {
  /** Tag of the function in the folder. Default: `'latest'`. */
  tag?: string;
}

/** A blob of a function. */
export interface Blob {
  digest: string;
  size: number;
}

/** The parts of a name; one of `tag` and `digest` is there, or both. */
export interface Reference {
  scheme?: 'http' | 'https';
  host: string;
  name: string;
  tag?: string;
  digest?: string;
}

export interface FunctionBundleOptions extends Omit<BundleOptions, 'outfile'> {
  /** The folder to write, in the place of an older one. */
  folder: string;
  /** Whether there is to be a snapshot. Default: `true`. */
  snapshot?: boolean;
}

export interface FunctionBundle extends Bundle {
  /** Digest of the function. */
  digest: string;
  /** Digest of its snapshot. */
  snapshot?: string;
  /** Why it has none. */
  withoutSnapshot?: string;
}

/** Makes a folder with a function. */
export declare function bundleFunction(options: FunctionBundleOptions): Promise<FunctionBundle>;

/** Sends the function in a folder to a registry: `registry/name:tag`. */
export declare function push(
  folder: string,
  reference: string,
  options?: FolderOptions,
): Promise<{ digest: string; sentBytes: number }>;

/** Fetches a function into a folder: `registry/name:tag` or `registry/name@sha256:…`. */
export declare function pull(
  reference: string,
  folder: string,
  options?: FolderOptions,
): Promise<{ digest: string; receivedBytes: number }>;

/** Fetches a function into a folder that may have others, without a tag there. */
export declare function download(
  reference: string,
  folder: string,
  options?: RegistryOptions,
): Promise<{ digest: string; receivedBytes: number; manifest: Blob; blobs: Blob[] }>;

/** The digest that a name has at present. */
export declare function resolve(reference: string, options?: RegistryOptions): Promise<string>;

/** Throws what is wrong with a registry that can be known without asking it: its name, and plain HTTP. */
export declare function checkRegistry(registry: string, options?: RegistryOptions): void;

/** The function in a folder, by its tag or digest. The snapshot is one for `Snapshot.load(folder, snapshot)`. */
export declare function open(
  folder: string,
  reference?: string,
): Promise<{ digest: string; source: string; snapshot?: string }>;

export declare function parseReference(text: string): Reference;
