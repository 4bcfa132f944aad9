export interface FloorEntity { value: object, version: string }

export type Condition = { kind: 'any' } | { kind: 'version', versions: readonly string[] }

export type Result =
  | { applied: true, version: string, created: boolean }
  | { applied: false, current: FloorEntity | undefined }

/** An asynchronous store of JSON text that compares and swaps. Keeping text, it gives everybody a copy. */
export class FloorStore {
  readonly #entities = new Map<string, { version: string, json: string }>()
  #version = 0

  async read (key: string): Promise<FloorEntity | undefined> {
    const entity = this.#entities.get(key)
    return entity && { version: entity.version, value: JSON.parse(entity.json) as object }
  }

  async write (key: string, value: object, condition: Condition): Promise<Result> {
    const json = JSON.stringify(value)
    const entity = this.#entities.get(key)
    const holds = condition.kind === 'any' || (entity !== undefined && condition.versions.includes(entity.version))
    if (!holds) return { applied: false, current: await this.read(key) }
    const version = String(++this.#version)
    this.#entities.set(key, { version, json })
    return { applied: true, version, created: entity === undefined }
  }
}
