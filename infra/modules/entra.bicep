metadata description = '''
People of support sign in with Entra (App Service Authentication). Requests without a sign-in pass: the intake admits its callers
itself, Dataverse among them, and operations ask everybody else for a key. What somebody may do are the app roles of the
registration, by the names of OPERATIONS_ROLES.
'''

import { entraType } from 'types.bicep'

@description('Name of the app.')
param functionAppName string

@description('The app registration, and who is let in.')
param entra entraType

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
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
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
