import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Test } from 'tap'
import { OUTCOME_CHANNEL, type OutcomeMessage } from 'fastify-if-match'
import { until } from './until.js'

/** What is published until the test ends. */
export function listenTo (t: Test): OutcomeMessage[] {
  const messages: OutcomeMessage[] = []
  const listener = (message: unknown): void => { messages.push(message as OutcomeMessage) }
  subscribe(OUTCOME_CHANNEL, listener)
  t.teardown(() => { unsubscribe(OUTCOME_CHANNEL, listener) })
  return messages
}

/** Takes the messages that came, as `outcome` and `strategy`, and expects that many. */
export async function taken (messages: OutcomeMessage[], count = 1): Promise<string[]> {
  await until(`${count} outcomes`, () => messages.length >= count)
  return messages.splice(0).map(({ outcome, strategy }) => `${outcome} ${strategy}`)
}
