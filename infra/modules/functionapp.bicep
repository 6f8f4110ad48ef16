metadata description = 'The Flex Consumption plan and the function app. Its settings are in appsettings.bicep.'

import { accessRuleType, scaleType, tagsType } from 'types.bicep'

@description('Name of the app; part of its host name.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of the plan; Flex Consumption takes one app per plan.')
param planName string

@description('Resource id of the identity that the app runs as.')
param identityId string

@description('Resource id of the identity that the platform reads and writes the package with.')
param packageIdentityId string

@description('Storage account of the code package.')
param storageAccountName string

@description('Container of the code package.')
param deploymentContainer string

@description('Python version.')
param pythonVersion string

@description('How far the app scales.')
param scale scaleType

@description('Spread the plan over availability zones.')
param zoneRedundant bool

@description('Subnet for outbound traffic; empty for none.')
param subnetId string

@description('Who may reach the HTTP routes; empty for everybody, whom the intake then asks for a key.')
param accessRules accessRuleType[]

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

var ipRules = map(accessRules, (rule, i) => {
  name: rule.name
  priority: 100 + i
  action: 'Allow'
  tag: rule.?serviceTag == null ? 'Default' : 'ServiceTag'
  ipAddress: rule.?serviceTag ?? rule.?addressRange
})

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  // azd finds the app by this tag.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
      '${packageIdentityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${account.properties.primaryEndpoints.blob}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: packageIdentityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: scale.instanceMemoryMB
        maximumInstanceCount: scale.maximumInstanceCount
        alwaysReady: scale.alwaysReady
        triggers: {
          http: {
            perInstanceConcurrency: scale.httpPerInstanceConcurrency
          }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      // Not of the publishing site: build agents come from anywhere, with an Entra token.
      ipSecurityRestrictions: ipRules
      ipSecurityRestrictionsDefaultAction: empty(accessRules) ? 'Allow' : 'Deny'
    }
  }
}

// Publishing with user name and password is off; an Entra token is needed.
resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

@description('Name of the app.')
output name string = app.name

@description('Host name of the app.')
output hostName string = app.properties.defaultHostName
