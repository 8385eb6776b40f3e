export function FeatureServicePage() {
  return null
}
