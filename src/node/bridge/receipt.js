// Makes the receipts of calls. One call from native code costs less than one for each property.
(guestImage) => {
  /** From a list that has for each host function its name, the number of its calls and their time; none if there is no list. */
  const hostCalls = (list) => {
    const calls = {};
    if (list) for (let i = 0; i < list.length; i += 3) calls[list[i]] = { count: list[i + 1], totalMs: list[i + 2] };
    return calls;
  };
  /** From a list that has for each line its level, its text and its time; none if there is no list. */
  const lines = (list) => {
    const lines = [];
    if (list)
      for (let i = 0; i < list.length; i += 3) lines[i / 3] = { level: list[i], text: list[i + 1], atMs: list[i + 2] };
    return lines;
  };

  /** The value of a call with its receipt, which has nothing of the console if that is `null`. */
  return (
    value,
    wallClockMs,
    cpuTimeMs,
    terminatedBy,
    suspendedMs,
    entries,
    peakHeapBytes,
    heapBytes,
    inputBytes,
    outputBytes,
    snapshotDigest,
    totals,
    console,
    droppedLines,
  ) => {
    const receipt = {
      wallClockMs,
      cpuTimeMs,
      terminatedBy,
      suspendedMs,
      entries,
      peakHeapBytes,
      heapBytes,
      hostCalls: hostCalls(totals),
      console: lines(console),
      droppedLines,
      inputBytes,
      outputBytes,
      guestImage,
      snapshotDigest,
    };
    if (console === null) {
      delete receipt.console;
      delete receipt.droppedLines;
    }
    return { value, receipt };
  };
};
