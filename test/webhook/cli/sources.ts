// Documents for tests of the command line: recorded ones, and objects made from them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { readDocuments } from '../../../webhook/cli/input/files/documents.ts'
import { MiniClusterSource } from '../../../webhook/cli/input/files/minicluster-source.ts'
import { type Found, readObjects } from '../../../webhook/cli/input/files/objects.ts'

const RECORDINGS = join(import.meta.dirname, '../../recordings/kubernetes')

/** A recorded object, as text. */
export function recordedText(path: string): string {
  return readFileSync(join(RECORDINGS, path), 'utf8')
}

/** A recorded object. */
export function recorded(path: string): Record<string, unknown> {
  return v.parse(v.record(v.string(), v.unknown()), JSON.parse(recordedText(path)))
}

/** A MiniCluster with a spec whose defaults are filled in. */
export function minicluster(spec: object, metadata: object = {}): MiniClusterSource {
  return v.parse(MiniClusterSource, {
    metadata: { name: 'flux-sample', namespace: 'default', uid: 'uid-1', ...metadata },
    spec: { containers: [{ image: 'app' }], ...spec },
  })
}

/** The objects of texts without problems. */
export function objectsOf(...texts: readonly string[]): readonly Found[] {
  const documents = texts.map((text, index) => readDocuments(text, `${index}.yaml`))
  assert.deepEqual(
    documents.flatMap(({ problems }) => problems),
    [],
  )
  const { found, problems } = readObjects(
    documents.flatMap((reading) => reading.found),
    { namespace: 'default' },
  )
  assert.deepEqual(problems, [])
  return found
}
