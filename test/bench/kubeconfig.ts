// A kubeconfig for a server of the benchmark.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench } from './bench.ts'

/** @returns its path */
export async function writeKubeconfig(
  { folder, servingCa }: Pick<Bench, 'folder' | 'servingCa'>,
  server: string,
): Promise<string> {
  const path = join(folder, 'kubeconfig')
  const cluster = { server, 'certificate-authority': servingCa }
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster }],
    users: [{ name: 'bench', user: { token: 'any' } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'bench' } }],
    'current-context': 'fake',
  }
  await writeFile(path, JSON.stringify(kubeconfig))
  return path
}
