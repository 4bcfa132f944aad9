import type { Kind } from './kind.js'

/** A column as the engine describes it. */
export interface ColumnFacts {
  name: string
  /** Its type in the words of the engine. */
  type: string
  /** Whether it gives back each value of this kind as it was written. */
  keeps (kind: Kind): boolean
  /** Whether it can be a column of the id: two texts or numbers are one there only if they are the same. */
  tellsApart (kind: Kind): boolean
  /** What to do if it cannot, in the words of the engine. */
  advice: string
  /** How many characters it holds at most; undefined: any number. */
  longest: number | undefined
  isNotNull: boolean
  hasDefault: boolean
  /** Whether the engine makes it, and refuses another value. */
  isGenerated: boolean
}

/** A table as the engine describes it. */
export interface TableFacts {
  columns: readonly ColumnFacts[]
  /** The columns of each primary key and unique index that holds for all rows, sorted by name. */
  keys: ReadonlyArray<readonly string[]>
  /** Whatever else keeps the engine from being used; undefined: nothing. */
  flaw?: string | undefined
}
