// The files of the page. From the sources they are built when they are wanted; in the bundle of the command line this file is replaced
// by one that has them as texts (test/support/build.ts).
import type { PageFile } from './page-build.ts'

/** By the path below the token. */
export type PageFiles = ReadonlyMap<string, PageFile>

export async function readPageFiles(): Promise<PageFiles> {
  const { buildPage } = await import('./page-build.ts')
  const { files } = await buildPage()
  return new Map(Object.entries(files))
}
