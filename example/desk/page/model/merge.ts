import { merge as diff3 } from 'node-diff3'
import { isObject, isSame, memberOf, objectOf, type Json, type Maybe } from './json.js'

/** Whose value a field takes: that of the other writer, or that of the person at this page. */
export type Side = 'theirs' | 'mine'

/** A field that somebody changed; undefined is a field that is not there. */
export interface Field {
  /** As a JSON Pointer (RFC 6901), in which an item of a list with ids has the name `planId=small`. */
  path: string
  base: Maybe
  theirs: Maybe
  mine: Maybe
  /** Who changed it. `merged`: both did, in parts that do not overlap. `conflict`: both did, each in another way. */
  change: 'theirs' | 'mine' | 'both' | 'merged' | 'conflict'
  /** What was chosen for a conflict. */
  choice?: Side
}

/** What became of three versions of a document. */
export interface Merge {
  /** A conflict without a choice has the value of theirs. */
  merged: Json
  /** The fields that differ, in the order of the document. */
  fields: Field[]
  /** The paths of the conflicts that need a choice. */
  open: string[]
}

/** By which of its members an item of a list is known, the first that all items have. */
const IDS = ['planId', 'id']

/**
 * Merges what two writers made of one document. Objects are merged by their members, lists by the ids of their items or
 * else as sequences, texts of several lines by their lines. Where both changed one field, the choice for its path
 * counts.
 */
export function merge (base: Json, theirs: Json, mine: Json, choices: Readonly<Record<string, Side>> = {}): Merge {
  const fields: Field[] = []
  const merged = mergeAt('', base, theirs, mine)
  const open = fields.filter(({ change, choice }) => change === 'conflict' && choice === undefined)
  return { merged: merged!, fields, open: open.map(({ path }) => path) }

  function mergeAt (path: string, base: Maybe, theirs: Maybe, mine: Maybe): Maybe {
    if (isObject(theirs) && isObject(mine)) {
      const names = union(Object.keys(theirs), Object.keys(mine), Object.keys(isObject(base) ? base : {}))
      return objectOf(names.map((name) => [name, mergeAt(
        `${path}/${escaped(name)}`, memberOf(base, name), memberOf(theirs, name), memberOf(mine, name)
      )]))
    }
    const id = idOf(base ?? [], theirs, mine)
    if (id !== undefined) return mergeById(path, id, (base ?? []) as Json[], theirs as Json[], mine as Json[])

    const add = (change: Field['change'], value: Maybe): Maybe => {
      fields.push({ path, base, theirs, mine, change })
      return value
    }
    if (isSame(theirs, mine)) return isSame(base, mine) ? mine : add('both', mine)
    if (isSame(base, theirs)) return add('mine', mine)
    if (isSame(base, mine)) return add('theirs', theirs)
    const sequence = mergeSequences(base, theirs, mine)
    if (sequence !== undefined) return add('merged', sequence)
    const choice = Object.hasOwn(choices, path) ? choices[path] : undefined
    fields.push({ path, base, theirs, mine, change: 'conflict', ...(choice && { choice }) })
    return choice === 'mine' ? mine : theirs
  }

  function mergeById (path: string, id: string, base: Json[], theirs: Json[], mine: Json[]): Json {
    const [inBase, inTheirs, inMine] = [base, theirs, mine].map((list) => byId(list, id)) as [ById, ById, ById]
    const order = isSame([...inBase.keys()], [...inTheirs.keys()])
      ? union([...inMine.keys()], [...inTheirs.keys()])
      : union([...inTheirs.keys()], [...inMine.keys()])
    return union(order, [...inBase.keys()])
      .map((key) => mergeAt(`${path}/${escaped(`${id}=${key}`)}`, inBase.get(key), inTheirs.get(key), inMine.get(key)))
      .filter((item) => item !== undefined)
  }
}

type ById = Map<string, Json>

function byId (list: Json[], id: string): ById {
  return new Map(list.map((item) => [String(memberOf(item, id)), item]))
}

// The member by which the items of all three lists are known: a text that no two items of a list share.
function idOf (...values: Maybe[]): string | undefined {
  if (!values.every((value) => Array.isArray(value))) return undefined
  return IDS.find((id) => values.every((list) => {
    const ids = list.map((item) => memberOf(item, id))
    return ids.every((value) => typeof value === 'string') && new Set(ids).size === ids.length
  }))
}

// Lists item by item, texts line by line, if the changes do not overlap.
function mergeSequences (base: Maybe, theirs: Maybe, mine: Maybe): Maybe {
  if (Array.isArray(base) && Array.isArray(theirs) && Array.isArray(mine)) {
    const result = mergeParts(base.map(textOf), theirs.map(textOf), mine.map(textOf))
    return result?.map((text) => JSON.parse(text) as Json)
  }
  if (typeof base === 'string' && typeof theirs === 'string' && typeof mine === 'string') {
    return mergeParts(base.split('\n'), theirs.split('\n'), mine.split('\n'))?.join('\n')
  }
  return undefined
}

function mergeParts (base: string[], theirs: string[], mine: string[]): string[] | undefined {
  const { conflict, result } = diff3(theirs, base, mine, {})
  return conflict ? undefined : result as string[]
}

// The members in one order, so that two items that are the same have one text.
function textOf (value: Json): string {
  return JSON.stringify(value, (_name, member: Json) => isObject(member)
    ? objectOf(Object.keys(member).sort().map((name) => [name, member[name]]))
    : member)
}

function union (...lists: string[][]): string[] {
  return [...new Set(lists.flat())]
}

function escaped (name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
