/**
 * Warns the operator of a setting that loses acknowledged writes, hides entities or costs speed, through
 * `process.emitWarning`.
 *
 * @param code stable, so that it can be looked for: FST_IF_MATCH_<ENGINE>_<SETTING>
 */
export function warn (code: `FST_IF_MATCH_${string}`, message: string): void {
  process.emitWarning(message, { code })
}
