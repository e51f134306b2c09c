// A kubectl that knows every MiniCluster, but for those with 0, 4 or 8 at the end of their name.
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addDetails } from '#explaining/details.ts'
import { explain } from '#explaining/explanation.ts'
import { LastHour } from '#explaining/last-hour.ts'
import { snapshotOf } from '../support/snapshots.ts'

const NOW = new Date('2026-11-24T01:02:03.456Z')

/** Writes it into a folder, with the answers that it prints. */
export async function writeKubectl(folder: string): Promise<void> {
  const snapshot = snapshotOf()
  const sources = { snapshot, now: NOW, lastHour: new LastHour(NOW.getTime()), metrics: [] }
  const all = new Set(['jobs', 'ranks', 'history', 'metrics'] as const)
  const minicluster = {
    apiVersion: 'flux-framework.org/v1alpha2',
    kind: 'MiniCluster',
    metadata: { name: 'm', namespace: 'hpc' },
    spec: { size: 2, maxSize: 8, containers: [{ image: 'flux' }] },
  }
  const answers = {
    explain: addDetails(explain(snapshot, NOW), all, sources),
    list: { miniclusters: [], more: 0 },
    hpas: { items: [] },
    version: { gitVersion: 'v1.37.2' },
    minicluster,
  }
  for (const [name, answer] of Object.entries(answers)) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(answer))
  }
  const print = (name: string) => `exec /bin/cat ${join(folder, name)}.json`
  const script = `#!/bin/sh
case "$*" in
  *m-*[048]/explain*) echo 'Error from server (NotFound): no such MiniCluster' >&2; exit 1 ;;
  *'*/explain') ${print('list')} ;;
  */explain*) ${print('explain')} ;;
  *horizontalpodautoscalers*) ${print('hpas')} ;;
  *version) ${print('version')} ;;
  *) ${print('minicluster')} ;;
esac
`
  const path = join(folder, 'kubectl')
  await writeFile(path, script)
  await chmod(path, 0o755)
}
