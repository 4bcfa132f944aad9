/** What the demo counts. */
export interface Score {
  /** Saves that the server acknowledged. */
  saved: number
  /** Saves that it refused, because the editor had not seen the newest version. */
  refused: number
  /** Updates that were acknowledged, and then overwritten by somebody who had not seen them. */
  lost: number
}

export const NO_SCORE: Score = { saved: 0, refused: 0, lost: 0 }

/** The score after a save: `seen` is the tag that its editor had read, `current` the tag that was stored before. */
export function afterSave (score: Score, isApplied: boolean, seen: string, current: string): Score {
  if (!isApplied) return { ...score, refused: score.refused + 1 }
  return { ...score, saved: score.saved + 1, lost: score.lost + (seen === current ? 0 : 1) }
}
