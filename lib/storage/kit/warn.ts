/** What an operator should know, and may look for: what loses acknowledged writes or hides them, and a pooler that knows no prepared statements. */
export type WarningCode = 'FST_IF_MATCH_POSTGRES_NOT_DURABLE' | 'FST_IF_MATCH_POSTGRES_ROW_SECURITY' | 'FST_IF_MATCH_POSTGRES_UNLOGGED' | 'FST_IF_MATCH_POSTGRES_UNPREPARED'

export function warn (code: WarningCode, message: string): void {
  process.emitWarning(message, { code })
}
