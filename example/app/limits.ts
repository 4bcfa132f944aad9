/** How much this process takes on. What is undefined has no bound of ours. */
export interface Limits {
  /** How often the process is measured for the next three, in milliseconds; 1,000 by default. */
  sampleMs?: number
  /** How late a timer may come, in milliseconds, on average, less than `sampleMs`; 0 is no bound. */
  maxLoopDelayMs?: number
  /** How much of the time the event loop may be busy, in percent; 100 is no bound. */
  maxLoopPercent?: number
  /** How much may be in use of the heap that Node.js allows, in percent; 100 is no bound. */
  maxHeapPercent?: number
  /** How many requests of one token may be unfinished at a time. */
  maxRequestsPerToken?: number
  /** How many connections may be open. */
  maxConnections?: number
  /** How long a request may take to arrive, in milliseconds. */
  requestMs?: number
  /** How long a client may take nothing of an answer that waits for it, in milliseconds. */
  answerMs?: number
}
