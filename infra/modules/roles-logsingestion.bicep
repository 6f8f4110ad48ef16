metadata description = 'The right of the app to send rows to the data collection rule. By itself, so that what-if can look into the module of the rule.'

@description('Name of the data collection rule.')
param ruleName string

@description('Object id of the identity that sends.')
param principalId string

// Monitoring Metrics Publisher
var roleId = '3913510d-42f4-4e42-8a64-420c390055eb'

resource rule 'Microsoft.Insights/dataCollectionRules@2024-03-11' existing = {
  name: ruleName
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(rule.id, principalId, roleId)
  scope: rule
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
