// Preloaded by tests: makes this a Node.js of before 20.16.
Object.assign(process, { getBuiltinModule: undefined });
