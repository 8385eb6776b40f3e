export function FeatureViewPage() {
  return null
}
