// What `kubectl delete -k manifests` leaves of components: docs/how-to/UPGRADE.md has the commands that delete the rest.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewObject } from '../../webhook/kubernetes/cluster.ts'
import { readPage } from '../docs/pages.ts'
import { objectsBelow } from '../support/manifests.ts'

const PART_OF = 'app.kubernetes.io/part-of'

/** As kubectl spells it. */
function pluralOf({ kind }: NewObject): string {
  return kind.toLowerCase().replace(/y$/, 'ie').concat('s')
}

test('what components have outside the namespace is deleted by the commands of UPGRADE.md', () => {
  const commands = readPage('docs/how-to/UPGRADE.md').matchAll(
    /^\$ kubectl delete (\S+) -l (\S+)=(\S+)$/gm,
  )
  const deleted = [...commands].flatMap(([, kinds = '', key, value]) =>
    kinds.split(',').map((kind) => `${kind} ${key}=${value}`),
  )
  const left = objectsBelow('components')
    .filter(({ metadata }) => metadata.namespace === undefined)
    .map((object) => `${pluralOf(object)} ${PART_OF}=${object.metadata.labels?.[PART_OF]}`)
  assert.deepEqual(new Set(left), new Set(deleted))
})
