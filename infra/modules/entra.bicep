metadata description = '''
Entra in front of the operations routes (App Service Authentication): a caller needs a token of the app registration, and then
still a key of OPERATIONS_KEYS. Paths of the intake, and health, are left out: Dataverse has no such token.
'''

import { entraType } from 'types.bicep'

@description('Name of the app.')
param functionAppName string

@description('The app registration, and who is let in.')
param entra entraType

@description('Routes that take events in, as topology.json has them.')
param intakeRoutes string[]

// A parameter of a route stands for anything: only what is before it can be compared.
var excluded = map(
  concat(intakeRoutes, ['health']),
  route => contains(route, '{') ? '/api/${split(route, '{')[0]}*' : '/api/${route}'
)

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: excluded
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entra.clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            entra.clientId
            'api://${entra.clientId}'
          ]
          defaultAuthorizationPolicy: {
            allowedPrincipals: entra.?allowedPrincipals == null
              ? null
              : {
                  identities: entra.?allowedPrincipals
                }
          }
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}
