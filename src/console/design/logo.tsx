import favicon from '../favicon.svg'

export function Logo() {
  return <img src={favicon} alt="" width="24" height="24" />
}
