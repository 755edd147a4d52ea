// Names of functions, as callers say them: `name@version`; with a registry also `name:tag` and `name@sha256:…`.

const NAME = /^([^@:\s]{1,200})[@:]((?:sha256:[0-9a-f]{64})|[^@:\s]{1,128})$/;

/** Whether it is the name of a function. */
export function isName(name) {
  return typeof name === 'string' && NAME.test(name);
}

/** The name of a function without its version: that of its repository in a registry. */
export function repositoryOf(name) {
  return name.match(NAME)?.[1] ?? '';
}

/** What a function is called in a registry. */
export function referenceOf(registry, name) {
  const [, repository, version] = name.match(NAME);
  return `${registry}/${repository}${version.startsWith('sha256:') ? '@' : ':'}${version}`;
}
