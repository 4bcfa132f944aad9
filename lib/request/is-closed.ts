/**
 * Whether an answer can be sent no more, because its connection or its stream is gone. The response of an HTTP/2 stream
 * is never destroyed itself (engine-facts#node-http2-response-destroyed).
 */
export function isClosed (raw: { destroyed: boolean }): boolean {
  return raw.destroyed || (raw as { stream?: { destroyed: boolean } }).stream?.destroyed === true
}

/** Whether the timeout of the handler has answered, or is about to. */
export function isTimedOut ({ signal }: { signal: AbortSignal }): boolean {
  return signal.aborted && (signal.reason as { code?: string } | undefined)?.code === 'FST_ERR_HANDLER_TIMEOUT'
}
