import { z } from 'zod'

/** The folder in an address; the top without one. `?folder=2026` is a number until somebody says otherwise. */
export const AddressedFolder = z
  .union([z.string(), z.number().transform(String)])
  .optional()
  .catch(undefined)

/** The last name of a path. */
export const nameOfFolder = (folder: string): string => folder.slice(folder.lastIndexOf('/') + 1)

/** The page of a kind of things, and its folders from the top down to this one: where one is. */
export function folderTrail<Room extends '/experiments' | '/models'>(room: Room, title: string, folder: string) {
  const names = folder === '' ? [] : folder.split('/')
  return [
    { title, link: { to: room, search: {} } },
    ...names.map((name, index) => ({
      title: name,
      link: { to: room, search: { folder: names.slice(0, index + 1).join('/') } },
    })),
  ]
}
