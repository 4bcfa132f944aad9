import assert from 'node:assert/strict'
import { create, present, same } from '../assert.js'
import { onStage, type Cases, type CreateAdapter } from '../harness.js'

/** What the caller of the suite says about its subjects. */
export interface Claims { list: boolean, another: boolean, faults: boolean }

/** The suite's own ground: were the subjects not isolated, no other case would show anything. */
export function factoryCases (createAdapter: CreateAdapter, claims: Claims): Cases {
  return {
    'factory: every subject has a store of its own': async ({ adapter }) => {
      await create(adapter, 'a', 1)
      await onStage(createAdapter, async ({ adapter: other }) => {
        assert.equal(await other.read('a'), undefined)
        await create(other, 'a', 2)
      })
      assert.equal((await present(adapter, 'a')).value, 1)
    },

    'factory: an adapter lists, or the suite is told "list: false"': async ({ adapter }) => {
      assert.equal(adapter.list !== undefined, claims.list)
    },

    'factory: there is another adapter, or the suite is told "another: false"': async ({ subject }) => {
      assert.equal(subject.another !== undefined, claims.another)
    },

    'factory: the engine can be cut off, or the suite is told "faults: false"': async ({ subject }) => {
      assert.equal(subject.cut !== undefined, claims.faults)
    },

    ...claims.another && {
      'factory: another adapter is not the same one, and works on the same data': async (stage) => {
        const another = await stage.another()
        assert.notEqual(another, stage.adapter)
        await create(stage.adapter, 'a', { n: 1 })
        same(await another.read('a'), await present(stage.adapter, 'a'))
      }
    }
  }
}
